// Labels and units of features.

/** `known` is {feature: [label, unit]}. */
export class Labels {
  constructor(known) {
    this.known = known;
  }

  label(name) {
    return this.known[name]?.[0] ?? name;
  }

  /** The unit, "" without one. */
  unit(name) {
    return this.known[name]?.[1] ?? "";
  }

  /** "Area [µm²]" */
  title(name) {
    const unit = this.unit(name);
    return unit ? `${this.label(name)} [${unit}]` : this.label(name);
  }
}
