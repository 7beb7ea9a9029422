// The certified OpenID provider `oidc-provider` with accounts from a file that tests change.
import fs from "node:fs";
import https from "node:https";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [, , modules, folder, port, appliance] = process.argv;
const entry = createRequire(`${modules}/x.js`).resolve("oidc-provider");
const { default: Provider } = await import(pathToFileURL(entry));
const accounts = () => JSON.parse(fs.readFileSync(`${folder}/accounts.json`, "utf8"));

const provider = new Provider(`https://localhost:${port}`, {
  clients: [{
    client_id: "dcor", client_secret: "of the client: & + %",
    redirect_uris: [`${appliance}/user/login/oidc/callback`],
    post_logout_redirect_uris: [`${appliance}/user/login`],
    backchannel_logout_uri: `${appliance}/user/logout/backchannel`, backchannel_logout_session_required: true,
    grant_types: ["authorization_code", "refresh_token"], response_types: ["code"],
  }],
  claims: { openid: ["sub", "groups"], profile: ["name", "preferred_username"], email: ["email", "email_verified"] },
  findAccount: (ctx, id) => {
    const found = accounts()[id];
    if (!found || found.disabled) return undefined;
    return { accountId: id, claims: () => ({ sub: id, preferred_username: id, email_verified: true, ...found }) };
  },
  issueRefreshToken: () => true,
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true }, backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  // by default it asks no loopback address, where the appliance of a test is
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  cookies: { keys: ["of the cookies"] },
  jwks: JSON.parse(fs.readFileSync(`${folder}/jwks.json`, "utf8")),
});
provider.on("backchannel.error", (ctx, error) => console.error("backchannel", error));
provider.on("server_error", (ctx, error) => console.error("server_error", error));
const tls = { key: fs.readFileSync(`${folder}/server.key`), cert: fs.readFileSync(`${folder}/server.pem`) };
https.createServer(tls, provider.callback()).listen(Number(port), "127.0.0.1");
