// The server: one place for keys, errors and sockets.
const KEY = "ttsops-key";
export const key = { get: () => sessionStorage.getItem(KEY) ?? "", set: (value) => sessionStorage.setItem(KEY, value) };

export class ApiError extends Error {
  constructor(message, { code = "", hint = "", status = 0 } = {}) { super(hint ? `${message}. ${sentence(hint)}` : message); this.code = code; this.status = status; }
}
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

const withKey = (headers = {}) => (key.get() ? { ...headers, authorization: `Bearer ${key.get()}` } : headers);

/** @returns {Promise<Response>} Throws `ApiError` with what the server said. */
export async function call(path, { method = "GET", json, form, signal } = {}) {
  const headers = withKey(json ? { "content-type": "application/json" } : {});
  let response;
  try {
    response = await fetch(path, { method, headers, signal, body: json ? JSON.stringify(json) : form });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The server does not answer", { hint: "is it still running?" });
  }
  if (response.ok || (path === "/health" && response.status === 503)) return response;
  const said = await response.json().catch(() => ({}));
  const { message = `The server answered ${response.status}`, code, hint } = said.error ?? {};
  throw new ApiError(sentence(message), { code, hint, status: response.status });
}

export const getJson = async (path) => (await call(path)).json();

/** A page can set no header of a socket's handshake but its subprotocols: there the key travels. */
export const socket = (path) => {
  const protocols = key.get() ? ["ttsops", `ttsops-key.${key.get()}`] : [];
  const one = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`, protocols);
  one.binaryType = "arraybuffer";
  return one;
};
