// What can be checked of a proof (lottning.proof/1), as docs/ledger-spec.md says: the chain, the form of every row, the count
// of allocations, draws and epochs, the commitments, and with the seeds every draw. Findings name their row; null: the proof.

// Nobody both screens families and changes whom the next draw is of; of links a proof does not show it.
const DUTIES = {
  "screened": "intake", "returned": "intake", "joined": "intake", "capacity-changed": "capacity", "site-opened": "capacity",
  "site-closed": "capacity", "epoch-opened": "capacity", "erased": "capacity", "beacon": "capacity",
};
const PROOF_KEYS = ["head", "protocols", "rows", "schema", "study"];
const ROW_KEYS = ["actor", "hash", "kind", "payload_hash", "public", "sequence", "time"];
const OUTCOMES = { "drawn": "allocated", "exception": "exception" }; // what follows a screening with a verdict

const STANDARD_DEVIATIONS = ["late-data", "incomplete-data", "error-in-data", "error-in-plan", "error-in-program",
  "changed-surroundings", "arms-known"];

/** What the checks need of a protocol file; throws on anything that they cannot use. */
function readProtocol(text) {
  const table = parseToml(text), allocation = table.allocation, arms = table.arm.map((arm) => arm.id);
  const protocol = {
    roles: table.roles ?? null, study: table.study.id, title: table.study.title, custody: table.study.custody, allocation, arms,
    labels: Object.fromEntries(table.arm.map((arm) => [arm.id, arm.label || arm.id])),
    ratio: table.arm.map((arm) => ("ratio" in arm ? arm.ratio : 1)),
    strata: allocation.strata || [], factors: allocation.method === "minimization" ? allocation.factors : [],
    round: "beacon" in table.study ? String(table.study.beacon.round) : null,
    sites: (table.site || []).map((site) => site.id),
    locks: (table.lock || []).map((lock) => lock.id),
    deviations: [...STANDARD_DEVIATIONS, ...((table.deviations || {}).reasons || []).map((own) => (isText(own) ? own : own.id))],
    finalLock: (table.lock || []).filter((lock) => (lock.kind || "final") === "final").map((lock) => lock.id).pop() ?? null,
    fields: (table.field || []).map((field) => field.id),
    choices: Object.fromEntries((table.field || []).filter((field) => field.kind === "choice")
      .map((field) => [field.id, (field.levels || []).map((level) => (typeof level === "string" ? level : level.id))])),
    levels: levelsOf(table),
    criteria: JSON.stringify((table.criterion || []).map((own) => [own.id, own.include_if, own.exclude_if, own.rule])),
    stratum: (seed, mode, epoch, levels) =>
      stratum(seed, mode, protocol.study, epoch, levels, allocation.method, protocol.ratio, allocation),
  };
  if (protocol.roles !== null && !Object.values(protocol.roles).every(Array.isArray)) throw new Error("roles must be lists");
  protocol.stratum(new Uint8Array(32), "live", 0, []); // an option that the method cannot use shows here
  return protocol;
}

/** The levels of a field that is cut: allocation-spec.md, section 3. */
function ranges(field) {
  const places = field.kind === "number" ? ("places" in field ? field.places : 1) : 0, scale = 10n ** BigInt(places);
  const steps = (value) => {
    const text = String(typeof value === "number" ? value : value.decimal), minus = text.startsWith("-");
    const [above, under] = fraction(minus ? text.slice(1) : text);
    if ((above * scale) % under) throw new Error(`'${text}' has more decimals than its field`);
    return ((minus ? -1n : 1n) * above * scale) / under;
  };
  const canonical = (own) => {
    const digits = String(own < 0n ? -own : own).padStart(places + 1, "0"), at = digits.length - places;
    const part = digits.slice(at).replace(/0+$/, "");
    return `${own < 0n ? "-" : ""}${digits.slice(0, at)}${part ? `.${part}` : ""}`;
  };
  const starts = ["range" in field ? field.range[0] : 0, ...field.cuts].map(steps);
  return starts.map((start, place) => {
    const last = place + 1 < starts.length ? starts[place + 1] - 1n : null;
    if (last === null) return `${canonical(start)}+`;
    if (places) return `${canonical(start)}-<${canonical(starts[place + 1])}`;
    return last === start ? canonical(start) : `${canonical(start)}-${canonical(last)}`;
  });
}

/** The texts that a level of each factor can be. */
function levelsOf(table) {
  const levels = { site: (table.site || []).map((site) => site.id) };
  for (const field of table.field || []) {
    if (field.cuts) levels[field.id] = ranges(field);
    else if (field.kind === "choice") levels[field.id] = (field.levels || []).map((level) => (typeof level === "string" ? level : level.id));
    else levels[field.id] = ["yes", "no"];
  }
  return levels;
}

/** What of the file before it a protocol does not carry on, or null. */
function carriesOn(own, before) {
  const begins = (list, earlier) => earlier.every((item, place) => (list || [])[place] === item);
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  if (own.study !== before.study) return "study";
  if (!same(own.arms, before.arms)) return "arm";
  if (own.criteria !== before.criteria) return "criterion";
  if (!begins(own.sites, before.sites)) return "site";
  if (!same([...own.fields].sort(), [...before.fields].sort())) return "field";
  if (Object.keys(before.choices).some((id) => !begins(own.choices[id], before.choices[id]))) return "levels";
  return null;
}

/** Checks a proof; `seeds` are texts of 64 hexadecimal digits. */
function checkProof(proof, seeds) {
  const found = {
    findings: [], rows: 0, head: null, hashes: [], epochs: [], custody: null, mode: null, study: null, title: null,
    allocations: [], erased: 0, verified: 0, wrong: 0, unmatched: [], revealed: false, first: null, last: null,
  };
  const report = (sequence, code, en, sv) => // rows are named by numbers from 1, whatever number somebody gave them
    found.findings.push({ sequence: sequence === null ? null : Math.max(sequence, 1), code, en, sv });
  const badProof = (what) => report(null, "proof", `this is not a proof: ${what}`, `detta är inget bevis: ${what}`);
  if (typeof proof !== "object" || proof === null || proof.schema !== "lottning.proof/1") { badProof("lottning.proof/1"); return found; }
  if (!Array.isArray(proof.rows) || !Array.isArray(proof.protocols) || proof.protocols.some((text) => typeof text !== "string")) {
    badProof("rows, protocols");
    return found;
  }
  if (Object.keys(proof).sort().join() !== PROOF_KEYS.join()) badProof(PROOF_KEYS.join(", "));
  const events = checkRows(proof, found, report);
  checkNamed(proof, found, report);
  checkSeeds(events, seeds, found, report);
  checkAllocations(events, found, report);
  checkEnd(events, found, report);
  checkPast(events, found, report);
  if (!events.length) report(1, "sequence", "there are no rows", "det finns inga rader");
  if (proof.protocols.length > found.epochs.length) {
    report(null, "protocol", "there are more protocols than epochs", "det finns fler protokoll än epoker");
  }
  found.findings.sort((a, b) => (a.sequence ?? Infinity) - (b.sequence ?? Infinity) || 0);
  return found;
}

/** The next epoch's protocol, held against the row that opens it. */
function openEpoch(proof, found, report, sequence, opening) {
  const number = found.epochs.length, text = proof.protocols[number], before = number ? found.epochs[number - 1].protocol : null;
  const epoch = { protocol: null, hash: new Uint8Array(32), commitment: opening && opening.commitment, seed: null, beacon: null };
  if (text === undefined) {
    report(sequence, "protocol", `the protocol of epoch ${number} is missing`, `protokollet för epok ${number} saknas`);
  } else {
    epoch.hash = sha256(utf8(text));
    try {
      epoch.protocol = readProtocol(text);
    } catch (error) {
      report(sequence, "protocol", `the protocol of epoch ${number} cannot be read: ${error.message}`,
        `protokollet för epok ${number} går inte att läsa: ${error.message}`);
    }
    if (opening && opening.protocol_hash !== hex(epoch.hash)) {
      report(sequence, "protocol", `the protocol of epoch ${number} is not the one that was sealed`,
        `protokollet för epok ${number} är inte det som förseglades`);
    }
  }
  if (opening && isHash(opening.protocol_hash)) epoch.hash = unhex(opening.protocol_hash); // tells which rows are whole
  const differs = epoch.protocol && before && carriesOn(epoch.protocol, before);
  if (differs) {
    report(sequence, "protocol", `the protocol of epoch ${number} does not carry on the one before it (${differs})`,
      `protokollet för epok ${number} för inte det föregående vidare (${differs})`);
  }
  found.epochs.push(epoch);
}

function checkRows(proof, found, report) {
  const events = [];
  const actors = { intake: new Set(), capacity: new Set() };
  let expected = 1, previous = new Uint8Array(32), latest = "";
  const part = (bytes) => join(bigEndian(bytes.length, 4), bytes);
  const text = (value) => utf8(typeof value === "string" ? value : "");
  proof.rows.forEach((row, place) => {
    if (typeof row !== "object" || row === null) row = {};
    let { sequence } = row;
    if (!Number.isSafeInteger(sequence) || sequence !== expected) {
      const first = Number.isSafeInteger(sequence) ? Math.min(sequence, expected) : expected;
      report(first, "sequence", `row ${sequence} stands where ${expected} comes next`, `rad ${sequence} står där ${expected} ska komma`);
      if (!Number.isSafeInteger(sequence)) sequence = expected;
    }
    expected = Math.max(expected, sequence + 1);
    let { kind } = row, open = null;
    if (Object.keys(row).sort().join() !== ROW_KEYS.join()) report(sequence, "form", "the row has other keys", "raden har andra nycklar");
    if (!isTime(row.time)) report(sequence, "form", "the time is not one", "tiden är ingen tid");
    if (!isKey(row.actor)) report(sequence, "form", "the actor", "aktören");
    if (!isHash(row.payload_hash)) report(sequence, "form", "payload_hash", "payload_hash");
    if (typeof kind !== "string" || !Object.hasOwn(PUBLIC_KEYS, kind)) {
      report(sequence, "form", "an unknown kind of event", "en okänd sorts händelse");
      kind = "unknown";
    } else {
      try {
        open = readPublic(kind, typeof row.public === "string" ? row.public : "");
      } catch (error) {
        report(sequence, "form", `the public part: ${error.message}`, `den öppna delen: ${error.message}`);
      }
    }
    events.push({ sequence, kind, open, time: row.time });
    if (isTime(row.time)) {
      if (row.time < latest) report(sequence, "time", "the time goes back", "tiden går bakåt");
      else latest = row.time;
    }
    const duty = Object.hasOwn(DUTIES, kind) ? DUTIES[kind] : null;
    if (duty && typeof row.actor === "string") {
      const own = person(row.actor);
      if (actors[duty === "intake" ? "capacity" : "intake"].has(own)) {
        report(sequence, "duty", "one actor both screened families and changed whom the next draw is of",
          "en och samma aktör har både screenat familjer och ändrat vem nästa dragning gäller");
      }
      actors[duty].add(own);
    }
    if (place === 0) {
      openEpoch(proof, found, report, sequence, kind === "opened" ? open : null);
      if (kind === "opened" && open) checkOpened(open, found, report);
    }
    const { protocol } = found.epochs[found.epochs.length - 1];
    if (found.mode === "live" && protocol && typeof row.actor === "string" && !permits(protocol, row.actor, kind)) {
      report(sequence, "role", "the actor has no role for this in the protocol in force",
        "aktören har ingen roll för detta i det gällande protokollet");
    }
    if ((kind === "opened") !== (place === 0)) {
      report(sequence, "opened", "the first row, and no other, is 'opened'", "den första raden, och ingen annan, är 'opened'");
    }
    const hash = hex(sha256(join(part(previous), part(found.epochs[found.epochs.length - 1].hash),
      part(bigEndian(Math.max(sequence, 0), 8)), part(text(row.time)), part(text(row.actor)), part(text(row.kind)),
      part(text(row.public)), part(isHash(row.payload_hash) ? unhex(row.payload_hash) : new Uint8Array(0)))));
    if (row.hash !== hash) {
      report(sequence, "chain", "the hash is not that of this row after the row before it: something was changed, added or taken away",
        "kontrollsumman är inte den här radens efter raden före: något har ändrats, lagts till eller tagits bort");
    }
    found.head = isHash(row.hash) ? row.hash : "0".repeat(64);
    previous = unhex(found.head);
    found.hashes.push([found.head, sequence]);
    if (kind === "epoch-opened") { // the rows after it are chained with its file
      if (open && open.epoch !== found.epochs.length) report(sequence, "count", "another epoch comes next", "en annan epok står på tur");
      openEpoch(proof, found, report, sequence, open);
    }
  });
  found.rows = events.length;
  if (events.length) { found.first = events[0].time; found.last = events[events.length - 1].time; }
  return events;
}

/** What a proof says of itself, against its rows. */
function checkNamed(proof, found, report) {
  if (found.study !== null && proof.study !== found.study) {
    report(null, "proof", "the proof names another study than its first row", "beviset anger en annan studie än dess första rad");
  }
  if (found.rows && proof.head !== found.head) {
    report(null, "proof", "the proof names another head than the hash of its last row",
      "beviset anger ett annat huvud än kontrollsumman i dess sista rad");
  }
}

function checkOpened(opened, found, report) {
  found.custody = opened.custody;
  found.study = opened.study;
  const protocol = found.epochs[0].protocol;
  found.mode = opened.mode;
  if (protocol && protocol.study !== opened.study) report(1, "opened", "the protocol is of another study", "protokollet hör till en annan studie");
  if (protocol && protocol.custody !== opened.custody) report(1, "opened", "the protocol names another custody", "protokollet anger en annan förvaring");
  if (protocol) found.title = protocol.title;
}

/** What rows say of earlier ones: keys of their own, what a correction retracts, what an erasure names. */
function checkPast(events, found, report) {
  const rows = new Map(), keys = new Set(), retracted = new Set(), named = new Set();
  let current = -1;
  for (const [place, event] of events.entries()) {
    const { sequence, kind, open } = event;
    if (kind === "opened" || kind === "epoch-opened") current += 1;
    if (open) {
      const { protocol } = found.epochs[current] || {};
      if (kind === "switched" && protocol && !protocol.arms.includes(open.arm)) {
        report(sequence, "form", "the arm is not in the protocol", "gruppen finns inte i protokollet");
      }
      if ("event_key" in open) {
        if (keys.has(`${kind} ${open.event_key}`)) report(sequence, "key", "an earlier row has the same key", "en tidigare rad har samma nyckel");
        keys.add(`${kind} ${open.event_key}`);
      }
      if (kind === "corrected") {
        const row = rows.get(open.sequence);
        if (!row || !RETRACTABLE.includes(row.kind) || retracted.has(open.sequence)) {
          report(sequence, "correction", `row ${open.sequence} is no earlier row that can be retracted, or is retracted already`,
            `rad ${open.sequence} är ingen tidigare rad som kan rättas, eller är redan rättad`);
        }
        retracted.add(open.sequence);
      }
      if (kind === "erased" && !areOfOneFamily(open.sequences, rows, named, lostLinks(events, place, rows, named, retracted))) {
        report(sequence, "erasure", "the rows that it names cannot be the earlier rows of one family, or were erased before",
          "raderna som den nämner kan inte vara en familjs tidigare rader, eller är redan raderade");
      }
      if (kind === "erased") for (const own of open.sequences) named.add(own);
    }
    if (!rows.has(sequence)) rows.set(sequence, event);
  }
  found.erased = events.filter((event) => event.kind === "allocated" && named.has(event.sequence)).length;
}

/**
 * Links that were taken back and erased, by an erasure before that in a place or by one right after it and of its time, which erases
 * families together.
 */
function lostLinks(events, place, rows, named, retracted) {
  const gone = new Set(named);
  for (const { kind, open, time } of events.slice(place + 1)) {
    if (kind !== "erased" || !open || time !== events[place].time) break;
    for (const own of open.sequences) gone.add(own);
  }
  return [...gone].filter((own) => retracted.has(own) && rows.get(own)?.kind === "linked");
}

/**
 * Earlier rows that no erasure named, no half of a screening and its outcome, one allocation at most. A screening or a link is the
 * first, or any row after a link that was taken back and erased with another family: it may have given the name.
 */
function areOfOneFamily(numbers, rows, named, lost) {
  const own = new Set(numbers);
  const isAwaiting = (number) => {
    const row = rows.get(number);
    return Boolean(row && row.kind === "screened" && row.open && row.open.verdict in OUTCOMES);
  };
  const first = rows.get(numbers[0]);
  return Boolean(first) && (["screened", "linked"].includes(first.kind) || lost.some((number) => number < numbers[0])) && numbers.filter((number) => rows.get(number)?.kind === "allocated").length <= 1
    && numbers.every((number) => rows.has(number) && ABOUT_FAMILY.includes(rows.get(number).kind) && !named.has(number)
      && !(isAwaiting(number) && !own.has(number + 1)) && !(isAwaiting(number - 1) && !own.has(number - 1)));
}

function checkSeeds(events, given, found, report) {
  let opened = 0;
  for (const { sequence, kind, open } of events) {
    if (kind === "opened" || kind === "epoch-opened") opened += 1;
    if (kind !== "revealed" || !open) continue;
    if (open.seeds.length !== opened) {
      report(sequence, "form", "there must be one seed per epoch", "det ska finnas ett frö per epok");
      continue;
    }
    found.revealed = true;
    open.seeds.forEach((seed, number) => {
      const epoch = found.epochs[number];
      if (epoch && commitment(unhex(seed), epoch.hash) === epoch.commitment) {
        epoch.seed = unhex(seed);
      } else {
        report(sequence, "revealed", `the seed of epoch ${number} is not the one that was committed to`,
          `fröet för epok ${number} är inte det utfästa`);
      }
    });
  }
  for (const text of given) {
    const own = found.epochs.filter((epoch) => commitment(unhex(text), epoch.hash) === epoch.commitment);
    for (const epoch of own) epoch.seed = unhex(text);
    if (!own.length) found.unmatched.push(text);
  }
}

function checkBeacon({ sequence, open }, current, found, report) {
  const epoch = found.epochs[open.epoch];
  if (open.epoch !== current || !epoch || epoch.beacon) {
    report(sequence, "beacon", "the epoch has a beacon already, or is not the open one", "epoken har redan en fyr, eller är inte den öppna");
  } else if (epoch.protocol && epoch.protocol.round !== open.round) {
    report(sequence, "beacon", "the protocol names another round, or none", "protokollet nämner en annan omgång, eller ingen");
  }
  if (epoch && !epoch.beacon) epoch.beacon = { value: open.value, round: open.round };
}

function checkAllocations(events, found, report) {
  const draws = new Map(), strata = new Map();
  let current = -1, next = 1;
  events.forEach((event, place) => {
    const { sequence, kind, open } = event, last = events[place - 1];
    const awaited = (own) => (own && own.kind === "screened" && own.open && OUTCOMES[own.open.verdict]) || null;
    if (awaited(last) && kind !== awaited(last)) {
      report(last.sequence + 1, "pair", "the outcome of the screening before should stand here", "utfallet av screeningen före skulle stå här");
    }
    if (awaited(event) && place + 1 === events.length) {
      report(sequence + 1, "pair", "the outcome of the screening before should stand here", "utfallet av screeningen före skulle stå här");
    }
    if (kind === "opened" || kind === "epoch-opened") current += 1;
    if (kind === "beacon" && open) checkBeacon(event, current, found, report);
    const { protocol } = found.epochs[current] || {};
    if (protocol && open && "site" in open && !protocol.sites.includes(open.site)) {
      report(sequence, "site", `the site '${open.site}' is not in the protocol in force`, `enheten '${open.site}' finns inte i gällande protokoll`);
    }
    if (kind === "exception" && open) checkPair(event, last, report);
    if (kind !== "allocated" || !open) return;
    if (open.allocation !== next) report(sequence, "count", `allocation ${next} comes next`, `lottning ${next} står på tur`);
    next = open.allocation + 1;
    if (open.epoch !== current) report(sequence, "count", "it is not of the open epoch", "den hör inte till den öppna epoken");
    checkPair(event, last, report);
    checkLevels(sequence, open, found, report);
    const name = JSON.stringify([open.epoch, open.levels]), number = draws.get(name) || 0;
    if (open.draw !== number) {
      report(sequence, "count", `draw ${number} of its stratum comes next`, `dragning ${number} i dess stratum står på tur`);
      strata.set(name, null); // its later draws cannot be judged
    }
    draws.set(name, open.draw + 1);
    const state = checkDraw(event, name, strata, found, report);
    found.allocations.push({ sequence, time: event.time, ...open, state });
  });
}

/** An allocation or an exception follows its own screening. */
function checkPair({ sequence, kind, open }, last, report) {
  if (!last || last.kind !== "screened" || (last.open && OUTCOMES[last.open.verdict] !== kind)) {
    report(sequence, "pair", "the row before is not a screening with the verdict of this row", "raden före är ingen screening med den här radens utfall");
  } else if (last.open && last.open.site !== open.site) {
    report(sequence, "pair", "the row before is of another site", "raden före hör till en annan enhet");
  }
}

/** Locks come in order, and nobody is drawn after the final one, after the seeds, or at a closed site. */
function checkEnd(events, found, report) {
  const locked = new Set(), closed = new Set();
  let current = -1, ended = false, revealed = false;
  for (const { sequence, kind, open } of events) {
    if (kind === "opened" || kind === "epoch-opened") current += 1;
    if (!open) continue;
    const { protocol } = found.epochs[current] || {};
    if (kind === "allocated" && (ended || revealed || closed.has(open.site))) {
      report(sequence, "end", "it is drawn after the final lock, after the seeds, or at a closed site",
        "den lottas efter den slutliga låsningen, efter fröna, eller på en stängd enhet");
    }
    if (kind === "site-closed") closed.add(open.site);
    if (kind === "site-opened") closed.delete(open.site);
    if (kind === "epoch-opened" && (ended || revealed)) {
      report(sequence, "lock", "the epoch is opened after the final lock, or after the seeds", "epoken öppnas efter den slutliga låsningen, eller efter fröna");
    }
    if (kind === "revealed") {
      if (revealed) report(sequence, "lock", "the seeds are published again", "fröna publiceras igen");
      if (!ended && protocol && protocol.finalLock !== null) {
        report(sequence, "lock", "the seeds are published before the final lock", "fröna publiceras före den slutliga låsningen");
      }
      revealed = true;
    }
    if (kind !== "locked" && kind !== "analysed") continue;
    const { lock } = open;
    if (protocol && !protocol.locks.includes(lock)) {
      report(sequence, "lock", `the lock '${lock}' is not in the protocol`, `låsningen '${lock}' finns inte i protokollet`);
    } else if (kind === "locked" && locked.has(lock)) {
      report(sequence, "lock", `the lock '${lock}' was made before`, `låsningen '${lock}' är redan gjord`);
    } else if (kind === "analysed" && !locked.has(lock)) {
      report(sequence, "lock", `the lock '${lock}' was never made`, `låsningen '${lock}' är aldrig gjord`);
    }
    for (const code of open.deviations || []) {
      if (protocol && !protocol.deviations.includes(code)) {
        report(sequence, "lock", `the deviation '${code}' is not in the protocol`, `avvikelsen '${code}' finns inte i protokollet`);
      }
    }
    if (kind === "locked") {
      locked.add(lock);
      ended = ended || Boolean(protocol && lock === protocol.finalLock);
    }
  }
}

function checkLevels(sequence, open, found, report) {
  const protocol = (found.epochs[open.epoch] || {}).protocol;
  if (!protocol) return;
  if (!protocol.arms.includes(open.arm)) report(sequence, "form", "the arm is not in the protocol", "gruppen finns inte i protokollet");
  if ("factors" in open !== protocol.factors.length > 0) {
    report(sequence, "form", "levels to balance stand where the method balances none, or lack", "balansnivåer står fel eller saknas");
  }
  for (const [names, levels] of [[protocol.strata, open.levels], [protocol.factors, open.factors || []]]) {
    const site = names.indexOf("site");
    const known = names.every((factor, place) => (protocol.levels[factor] || []).includes(levels[place]));
    if (names.length !== levels.length || (site >= 0 && levels[site] !== open.site) || !known) {
      report(sequence, "levels", "the levels do not fit the protocol or the site", "nivåerna passar inte protokollet eller enheten");
    }
  }
}

/** "ok", "wrong" or "open" (not checked). */
function checkDraw({ sequence, open }, name, strata, found, report) {
  const epoch = found.epochs[open.epoch];
  if (!epoch || !epoch.protocol) return "open";
  const { protocol } = epoch;
  if (protocol.round !== null && !epoch.beacon) {
    report(sequence, "beacon", "the protocol names a beacon, and no row before has its value",
      "protokollet nämner en fyr, och ingen rad före har dess värde");
  }
  const value = epoch.beacon && epoch.beacon.value;
  if (!epoch.seed || !found.mode || (protocol.round !== null && !value)) return "open";
  if (!strata.has(name)) {
    const seed = effectiveSeed(epoch.seed, protocol.round === null ? null : value);
    strata.set(name, null);
    try {
      strata.set(name, protocol.stratum(seed, found.mode, open.epoch, open.levels));
    } catch (error) {
      report(sequence, "form", error.message, error.message);
    }
  }
  const draw = strata.get(name), factors = open.factors || [];
  if (!draw || factors.length !== protocol.factors.length) {
    strata.set(name, null);
    return "open";
  }
  const arm = protocol.arms[draw(factors)];
  if (arm === open.arm) {
    found.verified += 1;
    return "ok";
  }
  found.wrong += 1;
  report(sequence, "draw", `the arm is '${open.arm}', and the seed gives '${arm}'`, `gruppen är '${open.arm}', och fröet ger '${arm}'`);
  return "wrong";
}
