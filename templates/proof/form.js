// The form of a row, as docs/ledger-spec.md says: canonical JSON, the keys of each kind with the domains of their values, times
// and dates, and who may write what.

const SERVICES = ["offered", "accepted", "declined", "started", "not-started", "home-visit", "closed", "reopened", "switched"];
const EXITS = ["death", "all-children-18", "left-coverage", "withdrawn"];
const RETRACTABLE = [...SERVICES, ...EXITS, "reported", "violation", "observed", "linked"];
const ABOUT_FAMILY = [...RETRACTABLE, "corrected", "screened", "allocated", "exception", "returned", "joined"];

const isText = (value) => typeof value === "string";
const matches = (pattern) => (value) => isText(value) && pattern.test(value);
const oneOf = (...words) => (value) => words.includes(value);
const wholeFrom = (least, most) => (value) => Number.isSafeInteger(value) && value >= least && value <= most;
const listOf = (isOwn, least = 0) => (value) => Array.isArray(value) && value.length >= least && value.every(isOwn);
const isSequences = (value) => listOf(wholeFrom(1, Number.MAX_SAFE_INTEGER), 1)(value)
  && value.every((own, place) => place === 0 || own > value[place - 1]);
const isKey = (value) => matches(/^[A-Za-z0-9._-]{1,64}$/)(value) && !holdsPersonalNumber(value);
const isCodes = (value) => listOf(isKey, 1)(value) && value.every((own, place) => place === 0 || own > value[place - 1]);
const COUNT = wholeFrom(0, 4294967295), SITE_DAY = { site: isText, on: isDate, event_key: isKey };
const PUBLIC_KEYS = { // a key with ? may be absent
  ...Object.fromEntries(RETRACTABLE.map((kind) => [kind, {}])),
  "opened": {
    format: wholeFrom(1, 1), study: isText, mode: oneOf("live", "rehearsal"), protocol_hash: isHash, commitment: isHash,
    custody: oneOf("single-user"),
  },
  "epoch-opened": { epoch: COUNT, commitment: isHash, protocol_hash: isHash },
  "beacon": { epoch: COUNT, round: isText, value: matches(/^(?:[0-9a-f]{2}){8,128}$/) },
  "site-opened": SITE_DAY, "site-closed": SITE_DAY, "capacity-changed": { ...SITE_DAY, therapists: wholeFrom(0, 10000) },
  "screened": { site: isText, verdict: oneOf("not-eligible", "gate-closed", "exception", "drawn") },
  "allocated": {
    site: isText, epoch: COUNT, levels: listOf(isText), "factors?": listOf(isText, 1), draw: COUNT, arm: isText, allocation: COUNT,
  },
  "returned": { site: isText }, "joined": { site: isText }, "exception": { site: isText }, "switched": { arm: isText },
  "corrected": { sequence: wholeFrom(1, Number.MAX_SAFE_INTEGER) }, "erased": { sequences: isSequences, reason: isKey },
  "locked": { lock: isText, cut: isDate, "deviations?": isCodes },
  "analysed": { lock: isText, results_sha256: isHash, "deviations?": isCodes },
  "exported": { what: oneOf("data", "proof", "replicate") }, "revealed": { seeds: listOf(isHash) },
};
const DEEDS = { // the roles that may write a row of a kind (docs/protocol.md, "[roles]")
  ...Object.fromEntries(["opened", "epoch-opened", "site-opened", "site-closed", "capacity-changed", "corrected", "erased",
    "beacon", "locked", "revealed"].map((kind) => [kind, ["study-lead"]])),
  ...Object.fromEntries(["screened", "allocated", "returned", "joined", "exception"].map((kind) => [kind, ["reception"]])),
  ...Object.fromEntries(SERVICES.map((kind) => [kind, ["worker", "reception"]])),
  ...Object.fromEntries(EXITS.map((kind) => [kind, ["worker", "reception", "outcome-assessor"]])),
  "reported": ["reception", "outcome-assessor"], "observed": ["outcome-assessor"], "violation": ["study-lead", "reception"],
  "linked": ["study-lead", "reception"], // of families the lead alone, which a proof does not show
 
  "analysed": ["statistician"], "exported": ["auditor", "statistician", "study-lead"],
};

/** Whose an actor's id is, however it is written. */
const person = (actor) => actor.replace(/[._-]/g, "").toLowerCase() || actor;

const permits = (protocol, actor, kind) => protocol.roles === null || (DEEDS[kind] || []).some(
  (role) => (protocol.roles[role] || []).some((own) => typeof own === "string" && person(own) === person(actor)));

/** An object of canonical JSON; throws on any other text. */
function readCanonical(text) {
  let at = 0;
  const fail = () => { throw new Error("not canonical JSON"); };
  const halfPair = /[\ud800-\udbff](?![\udc00-\udfff])|(?:^|[^\ud800-\udbff])[\udc00-\udfff]/;
  const take = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (!found) fail();
    at = pattern.lastIndex;
    return found[0];
  };
  const inOrder = (a, b) => { // by bytes, which is by code points
    const left = Array.from(a), right = Array.from(b);
    for (let i = 0; i < left.length && i < right.length; i += 1) {
      if (left[i] !== right[i]) return left[i].codePointAt(0) < right[i].codePointAt(0);
    }
    return left.length < right.length;
  };
  const value = (depth) => { // in so many objects and lists
    if (depth > 8) fail();
    switch (text[at]) {
      case '"': {
        const written = take(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\bfnrt]|u[0-9a-f]{4}))*"/y), own = JSON.parse(written);
        if (halfPair.test(own) || JSON.stringify(own) !== written) fail();
        return own;
      }
      case "[": {
        const list = [];
        take(/\[/y);
        while (text[at] !== "]") { if (list.length) take(/,/y); list.push(value(depth + 1)); }
        at += 1;
        return list;
      }
      case "{": {
        const own = Object.create(null);
        let before = null;
        take(/\{/y);
        while (text[at] !== "}") {
          if (before !== null) take(/,/y);
          if (text[at] !== '"') fail();
          const key = value(depth + 1);
          if (before !== null && !inOrder(before, key)) fail();
          before = key;
          take(/:/y);
          own[key] = value(depth + 1);
        }
        at += 1;
        return own;
      }
      default: {
        const own = JSON.parse(take(/true|false|null|(?:0|[1-9]\d*)(?![\d.eE])/y));
        if (typeof own === "number" && !Number.isSafeInteger(own)) fail();
        return own;
      }
    }
  };
  if (text[0] !== "{" || halfPair.test(text)) fail();
  const own = value(0);
  if (at !== text.length) fail();
  return own;
}

function readPublic(kind, text) {
  const own = readCanonical(text), wanted = PUBLIC_KEYS[kind];
  for (const [key, holds] of Object.entries(wanted)) {
    const name = key.replace("?", "");
    if (name in own ? !holds(own[name]) : !key.endsWith("?")) throw new Error(`the key '${name}'`);
  }
  for (const key of Object.keys(own)) {
    if (key === "clock" ? own[key] !== "override" : !Object.hasOwn(wanted, key) && !Object.hasOwn(wanted, `${key}?`)) throw new Error(`the key '${key}'`);
  }
  return own;
}

/** A time in years that every program can hold, without leap seconds. */
function isTime(text) {
  if (!isText(text) || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(text) || /^(?:0000|9999)/.test(text)) return false;
  const milliseconds = Date.parse(`${text.slice(0, 23)}Z`);
  return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString() === `${text.slice(0, 23)}Z`;
}

function isDate(text) {
  return isText(text) && text.length === 10 && isTime(`${text}T00:00:00.000000Z`);
}

/** Whether a key holds the ten or twelve digits of a personal or coordination number, as people write them. */
function holdsPersonalNumber(text) {
  const joint = "[-._]{1,3}";
  const shapes = new RegExp(`(?<!\\d)(?=(\\d{12}|\\d{10}|\\d{8}${joint}\\d{4}|\\d{6}${joint}\\d{4}|`
    + `\\d{4}${joint}\\d\\d${joint}\\d\\d${joint}\\d{4})(?!\\d))`, "g");
  for (const [, found] of text.matchAll(shapes)) {
    const digits = found.replace(/\D/g, ""), short = digits.slice(-10), century = digits.length === 12 ? Number(digits.slice(0, 2)) : null;
    const products = Array.from(short, (digit, place) => Number(digit) * (2 - (place % 2)));
    const sum = products.reduce((all, product) => all + Math.floor(product / 10) + (product % 10), 0);
    const [year, month, day] = [0, 2, 4].map((at) => Number(short.slice(at, at + 2)));
    if (sum % 10 || ![null, 18, 19, 20].includes(century)) continue;
    if (day >= 60 && (month === 0 || day === 60)) { // a coordination number whose month or day is not known
      if (month <= 12 && day <= 91) return true;
      continue;
    }
    const own = century === null ? 2000 + year : 100 * century + year; // 2000 is a leap year: one of the centuries has the day
    const leap = own % 4 === 0 && (century === null || own % 100 !== 0 || own % 400 === 0);
    const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0, born = day >= 60 ? day - 60 : day;
    if (born >= 1 && born <= days) return true;
  }
  return false;
}
