// Reads a protocol file (TOML 1.0) into plain objects. A decimal keeps its text, as { decimal: "0.7" }, because no draw may
// round; a date or time is { date: "2025-02-03" }. Anything that is not TOML throws.

function parseToml(text) {
  const root = Object.create(null), closed = new Set(), implied = new Set(), lists = new Set();
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0, table = root;
  const source = text.replace(/\r\n/g, "\n");

  const fail = (what) => { throw new Error(`${what}, line ${source.slice(0, at).split("\n").length}`); };
  const peek = (word) => source.startsWith(word, at);
  const take = (word) => { if (!peek(word)) fail(`'${word}' is missing`); at += word.length; };
  const skip = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const blank = () => skip(/[ \t]*/y);
  const space = () => skip(/(?:[ \t\n]|#[^\n]*)*/y);
  const endOfLine = () => { blank(); skip(/#[^\n]*/y); if (at < source.length) take("\n"); };

  const escapes = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r", '"': '"', "\\": "\\" };
  const unescape = () => {
    at += 1;
    const letter = source[at];
    at += 1;
    if (letter in escapes) return escapes[letter];
    const found = letter === "u" ? skip(/[0-9a-fA-F]{4}/y) : letter === "U" ? skip(/[0-9a-fA-F]{8}/y) : null;
    if (!found) fail("an unknown escape");
    return String.fromCodePoint(parseInt(found[0], 16));
  };

  const string = () => {
    const quote = source[at], long = quote.repeat(3);
    let out = "";
    if (peek(long)) {
      at += 3;
      skip(/\n/y);
      for (;;) {
        if (at >= source.length) fail("a text does not end");
        if (peek(long)) {
          at += 3;
          for (let more = 0; more < 2 && peek(quote); more += 1) { out += quote; at += 1; }
          return out;
        }
        if (quote === '"' && skip(/\\[ \t]*\n[ \t\n]*/y)) continue;
        if (quote === '"' && peek("\\")) { out += unescape(); continue; }
        out += source[at];
        at += 1;
      }
    }
    at += 1;
    for (;;) {
      if (at >= source.length || peek("\n")) fail("a text does not end");
      if (peek(quote)) { at += 1; return out; }
      if (quote === '"' && peek("\\")) { out += unescape(); continue; }
      out += source[at];
      at += 1;
    }
  };

  const key = () => {
    blank();
    if (peek('"') || peek("'")) { const own = string(); blank(); return own; }
    const found = skip(/[A-Za-z0-9_-]+/y);
    if (!found) fail("a key is missing");
    blank();
    return found[0];
  };
  const path = () => {
    const keys = [key()];
    while (peek(".")) { at += 1; keys.push(key()); }
    return keys;
  };

  const set = (into, keys, value) => {
    let own = into;
    for (const name of keys.slice(0, -1)) {
      if (!(name in own)) own[name] = Object.create(null);
      own = own[name];
      if (typeof own !== "object" || Array.isArray(own) || closed.has(own)) fail(`'${name}' is no table`);
    }
    const last = keys[keys.length - 1];
    if (last in own) fail(`'${last}' stands twice`);
    own[last] = value;
  };

  const value = () => {
    if (peek('"') || peek("'")) return string();
    if (peek("[")) {
      at += 1;
      const list = [];
      closed.add(list);
      for (space(); !peek("]"); space()) {
        list.push(value());
        space();
        if (!peek(",")) break;
        at += 1;
      }
      take("]");
      return list;
    }
    if (peek("{")) {
      at += 1;
      const own = Object.create(null);
      blank();
      while (!peek("}")) {
        const keys = path();
        take("=");
        blank();
        set(own, keys, value());
        blank();
        if (!peek(",")) break;
        at += 1;
      }
      take("}");
      closed.add(own);
      return own;
    }
    const word = skip(/true\b|false\b/y);
    if (word) return word[0] === "true";
    const date = skip(/\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)?)?|\d\d:\d\d:\d\d(?:\.\d+)?/y);
    if (date) return { date: date[0] };
    const odd = skip(/0x[0-9A-Fa-f_]+|0o[0-7_]+|0b[01_]+/y);
    if (odd) return Number(odd[0].replace(/_/g, ""));
    const number = skip(/[+-]?(?:inf|nan|(?:0|[1-9](?:_?\d)*)(?:\.\d(?:_?\d)*)?(?:[eE][+-]?\d(?:_?\d)*)?)(?!\w)/y);
    if (!number) fail("a value is missing");
    const plain = number[0].replace(/_/g, "");
    return /^[+-]?\d+$/.test(plain) ? Number(plain) : { decimal: plain };
  };

  const header = () => {
    const many = peek("[[");
    at += many ? 2 : 1;
    const keys = path(), last = keys.pop();
    take(many ? "]]" : "]");
    let own = root;
    for (const name of keys) {
      if (!(name in own)) { own[name] = Object.create(null); implied.add(own[name]); }
      own = own[name];
      if (lists.has(own)) own = own[own.length - 1];
      if (typeof own !== "object" || Array.isArray(own) || closed.has(own)) fail(`'${name}' is no table`);
    }
    if (many) {
      if (!(last in own)) { own[last] = []; lists.add(own[last]); }
      if (!lists.has(own[last])) fail(`'${last}' is no list of tables`);
      table = Object.create(null);
      own[last].push(table);
    } else if (last in own) {
      if (!implied.delete(own[last])) fail(`'${last}' stands twice`);
      table = own[last];
    } else {
      table = own[last] = Object.create(null);
    }
  };

  for (space(); at < source.length; space()) {
    if (peek("[")) {
      header();
    } else {
      const keys = path();
      take("=");
      blank();
      set(table, keys, value());
    }
    endOfLine();
  }
  return root;
}
