// What the page says: it checks the proof that it holds, or one that the reader drops on it, and shows the answer in both
// languages (the style sheet hides one). Text from a proof is only ever set as text, never as markup.

const shown = { proof: null, seeds: [], head: "", point: null }; // point: a checkpoint, whose head is `head`
const node = (id) => document.getElementById(id);

/** An element with children: texts, elements, or [english, swedish]. */
function make(tag, attributes, ...children) {
  const own = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) own.setAttribute(name, value);
  for (const child of children) {
    if (Array.isArray(child)) own.append(make("span", { lang: "en" }, child[0]), make("span", { lang: "sv" }, child[1]));
    else own.append(child);
  }
  return own;
}

const fill = (id, ...children) => node(id).replaceChildren(...children);
const both = (text) => (typeof text === "object" && text ? [String(text.en ?? text.sv), String(text.sv ?? text.en)] : [String(text), String(text)]);
const minute = (time) => (typeof time === "string" ? `${time.slice(0, 10)} ${time.slice(11, 16)} UTC` : "?");

function headState(found) {
  if (!shown.head) return { state: "open" };
  const place = found.hashes.findIndex(([hash]) => hash === shown.head);
  if (place < 0) return { state: "fails" };
  const point = shown.point;
  if (point && (point.study !== found.study || point.events !== found.hashes[place][1])) return { state: "fails" };
  return { state: "holds", sequence: found.hashes[place][1], later: found.hashes.length - 1 - place };
}

function verdictOf(found, head) {
  if (found.findings.length || head.state === "fails") return "fails";
  if (found.unmatched.length) return "seed-mismatch";
  return found.verified === found.allocations.length && found.epochs.every((epoch) => epoch.seed) ? "holds" : "holds-without-draws";
}

function showVerdict(found, head, verdict) {
  const { rows, allocations: { length: drawn } } = found, first = found.findings.length ? found.findings[0].sequence : null;
  const words = {
    "holds": [
      make("h2", {}, ["It holds", "Det håller"]),
      make("p", {}, [`All ${rows} rows follow from one another, and all ${drawn} allocations are the ones that the seed gives. The seed is the one that was committed to before the first family was drawn, so no arm was chosen or changed afterwards.`,
        `Alla ${rows} rader följer av varandra, och alla ${drawn} lottningar är de som fröet ger. Fröet är det som utfästes innan den första familjen lottades, så ingen grupp har valts eller ändrats i efterhand.`]),
    ],
    "holds-without-draws": [
      make("h2", {}, ["The chain holds; the draws are not checked yet", "Kedjan håller; dragningarna är inte kontrollerade än"]),
      make("p", {}, [`All ${rows} rows follow from one another. Of ${drawn} allocations ${found.verified} could be derived again: the rest need a seed, which is published after the final lock. With the seed this page can check them.`,
        `Alla ${rows} rader följer av varandra. Av ${drawn} lottningar kunde ${found.verified} härledas på nytt: resten kräver ett frö, som publiceras efter den slutliga låsningen. Med fröet kan den här sidan kontrollera dem.`]),
    ],
    "seed-mismatch": [
      make("h2", {}, ["The seed is not the one that was committed to", "Fröet är inte det som utfästes"]),
      make("p", {}, ["The rows follow from one another, but a seed that you gave matches no commitment of this study. Either it is the seed of another study, or the seed was exchanged.",
        "Raderna följer av varandra, men ett frö som du angav stämmer inte med någon utfästelse i studien. Antingen hör det till en annan studie, eller så har fröet bytts ut."]),
    ],
    "fails": [
      make("h2", {}, ...(first === null ? [["It does not hold", "Det håller inte"]]
        : [[`It does not hold: row ${first} is the first that is wrong`, `Det håller inte: rad ${first} är den första som är fel`]])),
    ],
  }[verdict];
  if (head.state === "fails") {
    words.push(make("p", {}, ["The head that you gave is not in this ledger. Rows were taken away or written anew, or it is the head of another study.",
      "Huvudet som du angav finns inte i den här liggaren. Rader har tagits bort eller skrivits om, eller så hör det till en annan studie."]));
  }
  if (found.findings.length) {
    words.push(make("ul", {}, ...found.findings.slice(0, 20).map(({ sequence, en, sv }) =>
      make("li", {}, ...(sequence === null ? [] : [[`Row ${sequence}: `, `Rad ${sequence}: `]]), [en, sv]))));
    const more = found.findings.length - 20;
    if (more > 0) words.push(make("p", {}, [`And ${more} more.`, `Och ${more} till.`]));
  }
  if (found.erased) {
    words.push(make("p", {}, [`${found.erased} of the allocations are erased: the families' data were removed, and nobody can tell any more whether they were drawn before.`,
      `${found.erased} av lottningarna är raderade: familjernas uppgifter är borttagna, och ingen kan längre se om de lottats förut.`]));
  }
  if (found.mode === "rehearsal") {
    words.push(make("p", { class: "strong" }, ["This is a rehearsal: the families are made up.", "Det här är en repetition: familjerna är påhittade."]));
  }
  fill("verdict", ...words);
  node("verdict").className = verdict;
  document.body.dataset.verdict = verdict;
  document.body.dataset.firstBad = first ?? "";
  document.body.dataset.head = head.state;
  document.body.dataset.erased = found.erased;
  document.body.dataset.draws = `${found.verified}/${found.allocations.length}`;
}

function showChecks(found, head) {
  const has = (...codes) => found.findings.find((finding) => codes.includes(finding.code));
  const drawn = found.allocations.length, known = found.epochs.filter((epoch) => epoch.seed).length;
  const checks = [
    [["Each row follows from the row before it: nothing was changed, added or taken away in between",
      "Varje rad följer av raden före: inget har ändrats, lagts till eller tagits bort däremellan"],
    has("proof", "chain", "sequence", "form", "time", "opened", "erasure", "correction", "key"), found.rows > 0],
    [["The protocols are the sealed ones, and each carries on the one before it",
      "Protokollen är de förseglade, och varje nytt protokoll för det föregående vidare"], has("protocol"), found.epochs.length > 0],
    [["Allocations, draws and epochs count on without gaps, and each allocation follows its own screening",
      "Lottningar, dragningar och epoker räknas utan luckor, och varje lottning följer på sin egen screening"],
    has("count", "pair", "levels", "site"), drawn > 0],
    [[`The seed is the one that was committed to (${known} of ${found.epochs.length} epochs known)`,
      `Fröet är det utfästa (${known} av ${found.epochs.length} epoker kända)`],
    has("revealed") || found.unmatched.length, known > 0 && known === found.epochs.length],
    [[`Each allocation is the one that the seed gives (${found.verified} of ${drawn} derived again)`,
      `Varje lottning är den som fröet ger (${found.verified} av ${drawn} härledda på nytt)`],
    has("draw"), drawn > 0 && found.verified === drawn],
  ];
  checks.push([["Nobody both screened families and changed capacity, sites, links or the protocol, and every row is by somebody who has the role for it, where the protocol names roles",
    "Ingen har både screenat familjer och ändrat kapacitet, enheter, kopplingar eller protokoll, och varje rad är av någon som har rollen för den, där protokollet anger roller"],
  has("duty", "role"), found.rows > 0]);
  checks.push([["Nobody was drawn after the final lock, after the seeds were published or at a closed site, and the locks come in order",
    "Ingen lottades efter den slutliga låsningen, efter att fröna publicerats eller på en stängd enhet, och låsningarna kommer i ordning"],
  has("end", "lock"), drawn > 0]);
  if (found.epochs.some((epoch) => epoch.beacon || (epoch.protocol && epoch.protocol.round !== null))) {
    checks.push([["The value of the public beacon was recorded before the first draw of its epoch",
      "Den offentliga fyrens värde registrerades före epokens första dragning"], has("beacon"), true]);
  }
  const headWords = head.state !== "holds" ? ["The ledger's head is one that you kept elsewhere (give it below)", "Liggarens huvud är ett som du har sparat på annat håll (ange det nedan)"]
    : head.later === 0 ? ["The ledger's head is the one that you kept elsewhere: no row is missing at the end", "Liggarens huvud är det som du har sparat: ingen rad saknas på slutet"]
      : [`The head that you kept is the one after row ${head.sequence}: all rows up to it are as they were; ${head.later} came later`,
        `Huvudet som du har sparat är det efter rad ${head.sequence}: alla rader fram till den är som de var; ${head.later} har tillkommit`];
  checks.push([headWords, head.state === "fails", head.state === "holds"]);
  fill("checks", ...checks.map(([words, bad, done]) => {
    const [state, ...said] = bad ? ["bad", "does not hold", "håller inte"] : done ? ["good", "holds", "håller"] : ["open", "not checked", "inte kontrollerat"];
    return make("tr", { class: state }, make("th", { scope: "row" }, words), make("td", {}, said));
  }));
}

function showLimits(found, head) {
  const limits = [
    ["Whether what was recorded is true, and whether each verdict at screening followed from the answers: the answers are not in this file, because they are about families.",
      "Om det som registrerats är sant, och om varje utfall vid screeningen följde av svaren: svaren finns inte i filen, eftersom de handlar om familjer."],
    ["That no family was drawn twice, and that the limit on places was kept: that needs to know which rows are of the same family. The study's own check, lottning verify, does that.",
      "Att ingen familj lottats två gånger, och att platsgränsen hållits: det kräver att man vet vilka rader som hör till samma familj. Studiens egen kontroll, lottning verify, gör det."],
    ["That the study was not written anew from its first row: compare the commitments below with what was published when the study opened.",
      "Att studien inte har skrivits om från första raden: jämför utfästelserna nedan med det som publicerades när studien öppnades."],
  ];
  if (head.state !== "holds") {
    limits.push(["That no rows are missing at the end: that needs a head that was kept elsewhere.",
      "Att inga rader saknas på slutet: det kräver ett huvud som sparats på annat håll."]);
  }
  if (!found.epochs.every((epoch) => epoch.beacon)) {
    limits.push(["That the seed was the first one drawn: without a public beacon, whoever opened the study could have tried several seeds before committing to one.",
      "Att fröet var det första som drogs: utan en offentlig fyr kunde den som öppnade studien ha prövat flera frön innan ett utfästes."]);
  }
  if (found.epochs.some((epoch) => epoch.beacon)) {
    limits.push(["That the value of the beacon is the one that was published: look the round up at its source.",
      "Att fyrens värde är det som publicerades: slå upp omgången hos källan."]);
  }
  fill("limits", ...limits.map((words) => make("li", {}, words)));
  fill("custody", make("p", {}, found.custody === "single-user"
    ? ["Custody: one user (single-user). Whoever ran the enrolment could have read the seed, and so have known the next arm and chosen whom to bring when. That they did not look is a matter of trust in that account, and no page can show it. What this one shows is that no arm was changed.",
      "Förvaring: en användare (single-user). Den som skötte inskrivningen kunde ha läst fröet, och därmed ha känt till nästa grupp och valt vem som anmäldes när. Att ingen tittade är en fråga om tillit till det kontot, och ingen sida kan visa det. Det den här visar är att ingen grupp har ändrats."]
    : [`Custody: ${found.custody ?? "not stated"}. Who could read the seed is said by the study; no page can show it.`,
      `Förvaring: ${found.custody ?? "inte angiven"}. Vem som kunde läsa fröet uppger studien; ingen sida kan visa det.`]));
}

function showFacts(found) {
  const facts = [
    [["Study", "Studie"], found.study ?? "?"],
    [["Rows", "Rader"], String(found.rows)],
    [["First and last row", "Första och sista rad"], `${minute(found.first)} – ${minute(found.last)}`],
    [["Head", "Huvud"], found.head ?? "?"],
  ];
  found.epochs.forEach((epoch, number) => {
    facts.push([[`Commitment, epoch ${number}`, `Utfästelse, epok ${number}`], epoch.commitment ?? "?"]);
    if (epoch.seed) facts.push([[`Seed, epoch ${number}`, `Frö, epok ${number}`], hex(epoch.seed)]);
    if (epoch.beacon) facts.push([[`Beacon, epoch ${number}`, `Fyr, epok ${number}`], `${epoch.beacon.round}: ${epoch.beacon.value}`]);
    if (epoch.protocol) {
      const { allocation: { method }, ratio, strata } = epoch.protocol;
      facts.push([[`Method, epoch ${number}`, `Metod, epok ${number}`], `${method} ${ratio.join(":")} ${strata.length ? `(${strata.join(", ")})` : ""}`]);
    }
  });
  fill("facts", ...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, make("code", {}, value)))));
  const title = found.title ? both(found.title) : ["", ""];
  fill("subtitle", make("span", {}, title));
}

const ROWS_SHOWN = 5000;

function showAllocations(found) {
  const rows = found.allocations.slice(0, ROWS_SHOWN).map((own) => {
    const epoch = found.epochs[own.epoch], labels = epoch && epoch.protocol ? epoch.protocol.labels : {};
    const said = { ok: ["the seed gives it", "fröet ger den"], wrong: ["NOT what the seed gives", "INTE vad fröet ger"], open: ["not checked", "inte kontrollerad"] };
    return make("tr", { class: { ok: "good", wrong: "bad", open: "open" }[own.state] }, make("td", {}, String(own.allocation)),
      make("td", {}, String(own.sequence)), make("td", {}, minute(own.time)), make("td", {}, own.site), make("td", {}, String(own.epoch)),
      make("td", {}, [...own.levels, ...(own.factors || [])].join(" / ")), make("td", {}, String(own.draw)),
      make("td", {}, both(Object.hasOwn(labels, own.arm) ? labels[own.arm] : own.arm)), make("td", {}, said[own.state]));
  });
  fill("allocations", ...rows);
  const more = found.allocations.length - rows.length;
  fill("more", ...(more > 0 ? [make("span", {}, [`${more} more are checked and not listed.`, `${more} till är kontrollerade men inte listade.`])] : []));
}

function show() {
  const found = checkProof(shown.proof, shown.seeds), head = headState(found), verdict = verdictOf(found, head);
  showVerdict(found, head, verdict);
  showChecks(found, head);
  showLimits(found, head);
  showFacts(found);
  showAllocations(found);
  document.body.dataset.checked = String(Number(document.body.dataset.checked || 0) + 1);
}

const readSeeds = (text) => text.toLowerCase().match(/\b[0-9a-f]{64}\b/g) || [];

function load(text) {
  try {
    shown.proof = JSON.parse(text);
  } catch {
    shown.proof = null;
  }
  show();
}

/** A file that the reader gives: a seed, a checkpoint or a proof. */
async function accept(file) {
  const text = await file.text();
  if (/^\s*[0-9a-fA-F]{64}\s*$/.test(text)) {
    node("seeds").value = `${node("seeds").value}\n${text.trim()}`.trim();
    shown.seeds = readSeeds(node("seeds").value);
    show();
    return;
  }
  const point = readCheckpoint(text);
  if (point) {
    node("head").value = point.head;
    shown.head = point.head;
    shown.point = point;
    show();
    return;
  }
  node("loaded").textContent = file.name;
  load(text);
}

/** A checkpoint of a file, its head in lower case, or null. */
function readCheckpoint(text) {
  try {
    const own = JSON.parse(text), head = own.head.toLowerCase();
    const texts = [own.study, own.last_event, own.written].every((part) => typeof part === "string");
    const holds = own.schema === "lottning.checkpoint/1" && texts && isHash(head) && Number.isSafeInteger(own.events);
    return holds ? { study: own.study, events: own.events, head } : null;
  } catch {
    return null;
  }
}

function speak(language) {
  document.documentElement.lang = language;
  document.title = { en: "Proof of an allocation", sv: "Bevis för en lottning" }[language];
}

function start() {
  node("language").addEventListener("click", () => speak(document.documentElement.lang === "sv" ? "en" : "sv"));
  node("check").addEventListener("click", () => {
    shown.seeds = readSeeds(node("seeds").value);
    shown.head = node("head").value.trim().toLowerCase();
    if (shown.point && shown.point.head !== shown.head) shown.point = null;
    show();
  });
  node("file").addEventListener("change", async () => {
    const files = Array.from(node("file").files);
    node("file").value = ""; // so that the same file, changed since, can be given again
    for (const file of files) await accept(file);
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    for (const file of event.dataTransfer.files) await accept(file);
  });
  speak(document.documentElement.lang);
  setTimeout(() => load(node("proof").textContent), 20); // so that a long check is announced
}

document.addEventListener("DOMContentLoaded", start);
