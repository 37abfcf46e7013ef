// Formats of strings, with the verdicts of the Go runtime, but for regex: the dialects of JavaScript and Go differ.
//#if formats

/** Whether a text is of a format, by the format's name. */
const $formats: Readonly<Record<string, (text: string) => boolean>> = {
  //#if format:uuid
  uuid: (s) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(s),
  //#end
  //#if format:date-time
  "date-time": (s) => /^.{10}[Tt]/.test(s) && $date(s.slice(0, 10)) && $clock(s.slice(11)),
  //#end
  //#if format:date
  date: (s) => $date(s),
  //#end
  //#if format:time
  time: (s) => $clock(s),
  //#end
  //#if format:duration
  duration: (s) => /^P(?:\d+W|(?=\d|T\d)(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)?(?:T(?=\d)(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S))?)$/.test(s),
  //#end
  //#if format:email
  email: (s) => $email(s),
  //#end
  //#if format:uri
  uri: (s) => $uri(s, true),
  //#end
  //#if format:uri-reference
  "uri-reference": (s) => $uri(s) && !s.includes("\\"),
  //#end
  //#if format:iri-reference
  "iri-reference": (s) => $uri(s) && !s.includes("\\"),
  //#end
  //#if format:hostname
  hostname: (s) => $hostname(s),
  //#end
  //#if format:ipv4
  ipv4: (s) => $ipv4(s),
  //#end
  //#if format:ipv6
  ipv6: (s) => $ipv6(s),
  //#end
  //#if format:json-pointer
  "json-pointer": (s) => $pointer(s),
  //#end
  //#if format:relative-json-pointer
  "relative-json-pointer": (s) => {
    const rest = s.replace(/^(?:0|[1-9]\d*)/, "");
    return rest !== s && (rest === "#" || $pointer(rest));
  },
  //#end
  //#if format:regex
  regex: (s) => $regex(s),
  //#end
  //#if format:int64
  int64: (s) => /^(?:0|-?[1-9]\d{0,18})$/.test(s) && BigInt.asIntN(64, BigInt(s)) === BigInt(s),
  //#end
  //#if format:uint64
  uint64: (s) => /^(?:0|[1-9]\d{0,19})$/.test(s) && BigInt.asUintN(64, BigInt(s)) === BigInt(s),
  //#end
};

/** What is wrong with a text that is not of a format. */
function $format(name: string): (text: string) => string | undefined {
  return (text) => ($formats[name]?.(text) === false ? `must be of the format ${name}` : undefined);
}
//#end
//#if date

function $date(s: string): boolean {
  const [, year, month, day] = (/^(\d{4})-(\d\d)-(\d\d)$/.exec(s) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined || month < 1 || month > 12 || day < 1) {
    return false;
  }
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return day <= (month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31);
}
//#end
//#if clock

/** A time of RFC 3339. A leap second is only taken where one can be, at 23:59:60 UTC. */
function $clock(s: string): boolean {
  const parts = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/.exec(s);
  if (parts === null) {
    return false;
  }
  const [hour, minute, second, zoneHour, zoneMinute] = [1, 2, 3, 5, 6].map((i) => Number(parts[i] ?? 0)) as [number, number, number, number, number];
  if (hour > 23 || minute > 59 || second > 60 || zoneHour > 23 || zoneMinute > 59) {
    return false;
  }
  const offset = (zoneHour * 60 + zoneMinute) * (parts[4] === "-" ? -1 : 1);
  return second < 60 || (hour * 60 + minute - offset + 1440) % 1440 === 1439;
}
//#end
//#if hostname

/** Labels of letters, digits and hyphens with dots between them, and one dot at the end. */
function $hostname(s: string): boolean {
  const name = s.endsWith(".") ? s.slice(0, -1) : s;
  return name.length <= 253 && !name.startsWith("-") && name.split(".").every((label) => /^[a-z0-9-]{0,62}[a-z0-9]$/i.test(label));
}
//#end
//#if ipv4

/** Four numbers of 0 to 255. Leading zeros are refused, because many read such numbers as octal. */
function $ipv4(s: string): boolean {
  const groups = s.split(".");
  return groups.length === 4 && groups.every((group) => /^(?:0+|[1-9]\d*)$/.test(group) && Number(group) <= 255);
}
//#end
//#if ipv6

/** Eight groups of hexadecimal digits, of which :: stands for as many as are missing; the last two may be an IPv4 address. */
function $ipv6(s: string): boolean {
  const halves = s.split("::");
  if (!s.includes(":") || halves.length > 2 || s.startsWith(":::") ) {
    return false;
  }
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const last = groups.at(-1)?.at(-1) ?? "";
  let count = groups.reduce((n, half) => n + half.length, 0);
  if (last.includes(".")) {
    if (!$quad(last)) {
      return false;
    }
    groups.at(-1)?.pop();
    count++;
  }
  return groups.flat().every((group) => /^[0-9a-f]{1,4}$/i.test(group)) && (halves.length === 2 ? count < 8 : count === 8);
}

function $quad(s: string): boolean {
  const groups = s.split(".");
  return groups.length === 4 && groups.every((group) => /^(?:0|[1-9]\d{0,2})$/.test(group) && Number(group) <= 255);
}
//#end
//#if email

/** A mailbox (RFC 5321) whose domain is a host name or an address in brackets. */
function $email(s: string): boolean {
  const at = s.lastIndexOf("@");
  const [local, domain] = [s.slice(0, at), s.slice(at + 1)];
  const bytes = (text: string): number => new TextEncoder().encode(text).length;
  if (at < 0 || bytes(local) > 64 || bytes(s) > 254) {
    return false;
  }
  const literal = /^\[(.*)\]$/s.exec(domain)?.[1];
  if (literal !== undefined) {
    return literal.startsWith("IPv6:") ? $ipv6(literal.slice(5)) : $ipv4(literal);
  }
  const atoms = /^[ \t]*(?!\.)(?:\.?[\w!#$%&'*+/=?^`{|}~\u0080-\u{10ffff}-])+$/u;
  const quoted = /^[ \t]*"(?:[\t !#-[\]-~\u0080-\u{10ffff}]|\\[\t -~\u0080-\u{10ffff}])+"$/u;
  return $hostname(domain) && !domain.endsWith(".") && (atoms.test(local) || quoted.test(local));
}
//#end
//#if uri

/** A URI reference of RFC 3986 as Go parses it: characters beyond ASCII are let through, a bad host, port or escape is not. */
function $uri(s: string, absolute = false): boolean {
  const [, scheme, rest = "", query = "", fragment = ""] = /^([a-z][a-z0-9+.-]*:)?([^?#]*)([^#]*)(.*)$/is.exec(s) ?? [];
  if (/[\u0000-\u001f\u007f]/.test(rest + query) || $badEscape.test(fragment) || (absolute && scheme === undefined)) {
    return false;
  }
  if (scheme === undefined ? /^[^/]*:/.test(rest) : !rest.startsWith("/")) {
    return scheme !== undefined; // what is not in a hierarchy is not looked at
  }
  const [, authority = "", path = ""] = /^(?:\/\/([^/]*))?(.*)$/s.exec(rest) ?? [];
  return !$badEscape.test(path) && $authority(authority);
}

const $badEscape = /%(?![0-9a-f]{2})/i;

/** A user, a host and a port. What must not be there is looked for: to repeat a group takes memory for each character. */
function $authority(text: string): boolean {
  const at = text.lastIndexOf("@");
  const user = text.slice(0, Math.max(at, 0));
  const host = text.slice(at + 1).replace(/:\d*$/, "");
  if (/[^\w.~!$&'()*+,;=:@%-]/.test(user) || $badEscape.test(user)) {
    return false;
  }
  const literal = /^\[(.*)\]$/.exec(host)?.[1];
  return literal === undefined ? !/[^\w.~!$&'()*+,;=<>"\]%\u0080-\u{10ffff}-]|%(?!25|[89a-f][0-9a-f])/iu.test(host) : $ipv6(literal);
}
//#end
//#if pointer

function $pointer(s: string): boolean {
  return /^(?:\/|$)/.test(s) && !/~(?![01])/.test(s);
}
//#end
//#if regex

function $regex(s: string): boolean {
  try {
    new RegExp(s, "u");
  } catch {
    return false;
  }
  return !/\(\?<?[=!]|\\[1-9Z]/.test(s); // RE2 has neither. What it has alone, as (?i), (?P<name>) and \pL, is refused as well
}
//#end
