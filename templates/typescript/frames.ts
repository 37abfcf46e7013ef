// Frames: how messages stand in them, and what they say of errors.

/** What only some environments have. */
const $global = globalThis as unknown as {
  readonly location?: { readonly href: string };
  readonly WebSocket?: NonNullable<ClientOptions["WebSocket"]>;
  readonly addEventListener?: (type: string, listener: () => void) => void;
  readonly removeEventListener?: (type: string, listener: () => void) => void;
};

/** The subprotocol of the extended profile. */
const $v1 = "wsgen.v1";

/** A frame as it was read. */
interface $Frame {
  readonly type: string;
  readonly id: string;
  readonly meta: $Members;
  readonly payload: unknown;
  readonly raw: unknown;
}

/** What a value has, where it is an object. */
function $fields(value: unknown): Record<string, never> {
  return ($isObject(value) ? value : {}) as Record<string, never>;
}

/** What everybody may know of a message's meta. */
function $metaOf(meta: $Members): MessageMeta {
  const { timestamp, room, seq } = meta;
  return {
    ...(typeof timestamp === "number" ? { timestamp } : {}),
    ...(typeof room === "string" ? { room } : {}),
    ...(typeof seq === "number" ? { seq } : {}),
  };
}

/** The error that a server sent. */
function $serverError(payload: unknown): ServerError {
  const { code, message, retryable, retryAfterMs, maybeApplied, details } = $fields(payload);
  const type = $errors.get(String(code));
  let known: unknown = details;
  if (type !== undefined && details !== undefined) {
    try {
      known = $convert(type, details, String(code), false, false);
    } catch {
      known = undefined; // of a newer server
    }
  }
  return new ServerError(String(code ?? "INTERNAL"), String(message ?? ""), {
    retryable: typeof retryable === "boolean" ? retryable : undefined,
    retryAfterMs: Number(retryAfterMs ?? 0),
    maybeApplied: typeof maybeApplied === "boolean" ? maybeApplied : undefined,
    details: known,
  });
}
//#if default-envelope

function $frame(type: string, { meta, payload }: $Body, more?: $Members): string {
  return JSON.stringify({ type, meta: meta !== undefined || more !== undefined ? { ...meta, ...more } : undefined, payload });
}

function $parse(data: string): $Frame | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (!$isObject(raw) || typeof raw["type"] !== "string") {
    return undefined;
  }
  const meta: $Members = $fields(raw["meta"]);
  const id = meta["correlationId"];
  return { type: raw["type"], id: typeof id === "string" ? id : "", meta, payload: raw["payload"], raw };
}
//#end
//#if envelope

function $frame(type: string, { payload }: $Body, more?: $Members): string {
  const id = more?.["correlationId"];
  return JSON.stringify({
    [$form.type]: $form.ints && !Number.isNaN(Number(type)) ? Number(type) : type,
    ...($form.id !== "" && id !== undefined ? { [$form.id]: Number(id) } : {}),
    ...(payload === undefined ? {} : $form.payload === "" ? (payload as object) : { [$form.payload]: payload }),
  });
}

function $parse(data: string): $Frame | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(data);
  } catch {
    return undefined;
  }
  const type = $isObject(raw) ? raw[$form.type] : undefined;
  if (!$isObject(raw) || (typeof type !== "string" && typeof type !== "number")) {
    return undefined;
  }
  const id = $form.id === "" ? undefined : raw[$form.id];
  const inline = Object.entries(raw).filter(([key]) => key !== $form.type && key !== $form.id);
  return {
    type: String(type),
    id: typeof id === "string" || typeof id === "number" ? String(id) : "",
    meta: {},
    payload: $form.payload === "" ? Object.fromEntries(inline) : raw[$form.payload],
    raw,
  };
}
//#end
