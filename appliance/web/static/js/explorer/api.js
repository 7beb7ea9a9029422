// The server's actions, as the explorer asks them.

/** The result of an action. Throws Error with the server's sentence. */
export async function ask(action, data, signal) {
  const answer = await fetch(`/api/3/action/${action}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(data),
    signal,
  });
  const found = await answer.json().catch(() => null);
  if (found?.success) return found.result;
  const { __type: _type, message, ...fields } = found?.error ?? {};
  const said = Object.values(fields).flat().find((one) => typeof one === "string");
  throw new Error(said ?? message ?? String(answer.status));
}

/** dclab's statistics of all events of a file, for each gate (the first is all events): {name: {events, share, rate, features}}. */
export async function statistics(id, features, gates, signal, young = null) {
  const found = {};
  for (let from = 0; from < features.length; from += 20) {
    const [answer] = await ask("dcor_statistics", { ids: [id], features: features.slice(from, from + 20), gates, ...(young && { youngs_modulus: young }) }, signal);
    for (const gate of answer.gates) {
      found[gate.name] ??= { ...gate, features: {} };
      Object.assign(found[gate.name].features, gate.features);
    }
  }
  return found;
}
