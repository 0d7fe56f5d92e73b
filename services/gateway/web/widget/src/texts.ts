// What the widget says, in each language it speaks.

/** The languages, in the order of each row of `TEXTS`. */
const CODES = ["en", "sv"];

const TEXTS = {
  title: ["Chat with us", "Chatta med oss"],
  greeting: ["Hello! How can we help?", "Hej! Hur kan vi hjälpa dig?"],
  open: ["Open the chat", "Öppna chatten"],
  close: ["Close the chat", "Stäng chatten"],
  unread_one: ["{n} new message", "{n} nytt meddelande"],
  unread_other: ["{n} new messages", "{n} nya meddelanden"],
  start: ["Start chat", "Starta chatten"],
  starting: ["Starting…", "Startar…"],
  question: ["Your question", "Din fråga"],
  optional: ["optional", "frivilligt"],
  missing: ["Please fill this in.", "Fyll i det här fältet."],
  bad_email: ["Please check this address.", "Kontrollera adressen."],
  first_name: ["Name", "Namn"],
  last_name: ["Last name", "Efternamn"],
  email: ["Email", "E-post"],
  job_title: ["Job title", "Titel"],
  company: ["Company", "Företag"],
  phone: ["Phone", "Telefon"],
  country: ["Country", "Land"],
  state: ["State", "Län"],
  city: ["City", "Ort"],
  company_size: ["Company size", "Företagets storlek"],
  industry: ["Industry", "Bransch"],
  finding: ["Finding someone for you…", "Vi letar upp någon åt dig…"],
  finding_hint: [
    "You can keep browsing; we will be right here.",
    "Titta gärna runt under tiden, vi finns kvar här.",
  ],
  next_in_line: ["You are next in line", "Du är näst på tur"],
  place: ["You are number {n} in line", "Du är nummer {n} i kön"],
  wait_soon: ["It should take less than a minute.", "Det bör ta mindre än en minut."],
  wait_one: ["The wait is about {n} minute.", "Väntetiden är ungefär {n} minut."],
  wait_other: ["The wait is about {n} minutes.", "Väntetiden är ungefär {n} minuter."],
  leave: ["Leave", "Lämna kön"],
  asked: ["You asked", "Du frågade"],
  online: ["Online", "Online"],
  transferring: ["You are being connected to someone else", "Du kopplas till någon annan"],
  someone: ["an agent", "en medarbetare"],
  joined: ["{name} has joined the chat.", "{name} är med i chatten."],
  typing: ["{name} is typing…", "{name} skriver…"],
  you: ["You", "Du"],
  says: ["{name} says", "{name} säger"],
  compose: ["Write a message", "Skriv ett meddelande"],
  send: ["Send", "Skicka"],
  too_long: ["{n} characters too many", "{n} tecken för mycket"],
  sending: ["Sending…", "Skickar…"],
  retrying: ["Not sent yet. Trying again…", "Inte skickat än. Försöker igen…"],
  failed: ["Not sent.", "Inte skickat."],
  retry: ["Try again", "Försök igen"],
  discard: ["Delete", "Ta bort"],
  read: ["Read", "Läst"],
  earlier: ["Show earlier messages", "Visa tidigare meddelanden"],
  newest: ["New messages", "Nya meddelanden"],
  idle: [
    "Are you still there? The chat ends at {time} unless you write.",
    "Är du kvar? Chatten avslutas {time} om du inte skriver något.",
  ],
  more: ["More", "Mer"],
  end: ["End chat", "Avsluta chatten"],
  end_sure: ["End this chat?", "Vill du avsluta chatten?"],
  end_yes: ["End it", "Avsluta"],
  end_no: ["Keep chatting", "Fortsätt chatta"],
  mail: ["Email the conversation", "Mejla konversationen"],
  mail_sent: ["It is on its way to {email}.", "Den är på väg till {email}."],
  ended_visitor: ["You ended the chat.", "Du avslutade chatten."],
  ended_agent: ["{name} ended the chat.", "{name} avslutade chatten."],
  ended_idle: [
    "The chat ended because nobody had written for a while.",
    "Chatten avslutades eftersom ingen hade skrivit på ett tag.",
  ],
  ended_lost: [
    "We are sorry: the connection to our agent was lost.",
    "Vi beklagar: kontakten med vår medarbetare bröts.",
  ],
  new_chat: ["Start a new chat", "Starta en ny chatt"],
  rate: ["How was this chat?", "Hur var chatten?"],
  stars: ["{n} of 5 stars", "{n} av 5 stjärnor"],
  comment: ["Anything to add?", "Något mer du vill säga?"],
  rated: ["Thank you!", "Tack!"],
  fallback: [
    "Nobody can answer right now. Please try again later.",
    "Ingen kan svara just nu. Försök igen senare.",
  ],
  meeting: ["Would you like to meet at another time?", "Vill du träffas en annan gång?"],
  book: ["Book a meeting", "Boka ett möte"],
  offline: [
    "You are offline. What you write will be sent when you are back.",
    "Du är offline. Det du skriver skickas när du är tillbaka.",
  ],
  reconnecting: ["Reconnecting…", "Ansluter igen…"],
  error_origin: [
    "The chat is not set up for this website.",
    "Chatten är inte inställd för den här webbplatsen.",
  ],
  error_session: [
    "Your session has ended. Please start a new chat.",
    "Din session har gått ut. Starta en ny chatt.",
  ],
  error_gone: ["This chat is no longer available.", "Den här chatten finns inte längre."],
  error_many: [
    "That was too much at once. Please try again in {n} s.",
    "Det blev för mycket på en gång. Försök igen om {n} s.",
  ],
  error_busy: [
    "The chat is not available at the moment. Please try again shortly.",
    "Chatten är inte tillgänglig just nu. Försök igen om en stund.",
  ],
  error_network: [
    "There is no connection. Please check your network and try again.",
    "Det finns ingen anslutning. Kontrollera nätverket och försök igen.",
  ],
  error_mail: ["Emails cannot be sent from here.", "Mejl kan inte skickas härifrån."],
  error_input: [
    "Something you filled in could not be used. Please check it.",
    "Något du fyllde i gick inte att använda. Kontrollera det.",
  ],
  error_other: ["Something went wrong. Please try again.", "Något gick fel. Försök igen."],
} satisfies Record<string, readonly [string, string]>;

/** A text's name. */
export type Word = keyof typeof TEXTS;

/** The widget's words in one language. */
export interface Language {
  /** As `lang` says it. */
  readonly code: string;
  readonly direction: "ltr" | "rtl";
  /** The text, with `{names}` filled in. */
  say(word: Word, values?: Record<string, string | number>): string;
  /** The text for a number: `<stem>_one` or `<stem>_other`. */
  count(stem: "unread" | "wait", n: number): string;
  time(at: string | number): string;
}

/** The language for a page in `wanted`, or English; `direction` is the page's own. */
export function languageFor(wanted: string, direction: "ltr" | "rtl"): Language {
  const column = Math.max(CODES.indexOf(wanted.toLowerCase().split("-")[0] ?? ""), 0);
  const code = CODES[column] ?? "en";
  // "en" alone would be American to a reader in Britain.
  const locale = navigator.language.startsWith(code) ? navigator.language : code;
  const say = (word: Word, values: Record<string, string | number> = {}) =>
    (TEXTS[word][column] ?? "").replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
  return {
    code,
    direction,
    say,
    count: (stem, n) => say(`${stem}_${n === 1 ? "one" : "other"}`, { n }),
    time: (at) => new Date(at).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" }),
  };
}

/** What a text of the website stands for when it is only the default: the widget's own, in its language. */
export function ownUnlessDefault(
  language: Language,
  word: "title" | "greeting",
  text: string | undefined,
): string {
  return text === undefined || text === TEXTS[word][0] ? language.say(word) : text;
}
