/**
 * How mail programs introduce the mail that they quote, by language. Sources: the lists of npm `email-reply-parser` 2 (lib/regex.ts)
 * and `email-forward-parser` 1 (lib/parser.js), both of Crisp, for Apple Mail, Gmail, Outlook, Thunderbird and Yahoo; Mailgun's
 * `talon` (quotations.py). Those lists are regular expressions that need RE2; here they are words that are looked up.
 */
export type MailField = 'from' | 'sent' | 'date' | 'to' | 'subject' | 'other';

type Words = Readonly<Record<'from' | 'date' | 'to' | 'subject', string>>;

/** Labels of the fields, several with `|`; the first for the date says that a mail was sent then, and is found nowhere else. */
const FIELDS: Readonly<Record<string, Words>> = {
  en: { from: 'From', date: 'Sent|Date', to: 'To', subject: 'Subject' },
  cs: { from: 'Od', date: 'Odesláno|Datum', to: 'Komu', subject: 'Předmět' },
  da: { from: 'Fra', date: 'Sendt|Dato', to: 'Til', subject: 'Emne' },
  de: { from: 'Von', date: 'Gesendet|Datum', to: 'An', subject: 'Betreff' },
  es: { from: 'De', date: 'Enviado|Enviado el|Fecha', to: 'Para', subject: 'Asunto' },
  et: { from: 'Saatja', date: 'Saadetud|Kuupäev', to: 'Adressaat', subject: 'Teema' },
  fi: { from: 'Lähettäjä', date: 'Lähetetty|Päivämäärä|Päiväys', to: 'Vastaanottaja', subject: 'Aihe' },
  fr: { from: 'De', date: 'Envoyé|Date', to: 'À|Pour', subject: 'Objet|Sujet' },
  hr: { from: 'Šalje|Od', date: 'Poslano|Datum', to: 'Prima', subject: 'Predmet|Naslov' },
  hu: { from: 'Feladó', date: 'Elküldve|Dátum', to: 'Címzett', subject: 'Tárgy' },
  it: { from: 'Da|Mittente', date: 'Inviato|Data', to: 'A', subject: 'Oggetto' },
  ja: { from: '差出人|送信元|From', date: '送信日時|日時|日付|Date', to: '宛先|To', subject: '件名|Subject' },
  ko: { from: '보낸 사람|보낸사람', date: '보낸 날짜|날짜', to: '받는 사람|받는사람', subject: '제목' },
  nb: { from: 'Fra', date: 'Sendt|Dato', to: 'Til', subject: 'Emne' },
  nl: { from: 'Van', date: 'Verzonden|Datum', to: 'Aan', subject: 'Onderwerp' },
  pl: { from: 'Od|Nadawca', date: 'Wysłano|Data', to: 'Do|Adresat', subject: 'Temat' },
  pt: { from: 'De', date: 'Enviado|Enviada|Enviada em|Data', to: 'Para', subject: 'Assunto' },
  ro: {
    from: 'De la|Expeditorul',
    date: 'Trimis|Dată|Data',
    to: 'Către|Destinatarul',
    subject: 'Subiect|Subiectul',
  },
  ru: { from: 'От|От кого|Отправитель', date: 'Отправлено|Дата', to: 'Кому', subject: 'Тема' },
  sk: { from: 'Od', date: 'Odoslané|Dátum', to: 'Komu|Pre', subject: 'Predmet' },
  sv: { from: 'Från', date: 'Skickat|Datum', to: 'Till', subject: 'Ämne' },
  tr: { from: 'Kimden|Gönderen', date: 'Gönderilen|Gönderildi|Tarih', to: 'Kime', subject: 'Konu' },
  ar: { from: 'من', date: 'تم الإرسال|أُرسلت|التاريخ', to: 'إلى', subject: 'الموضوع' },
  bg: { from: 'От', date: 'Изпратено|Дата', to: 'До', subject: 'Тема|Относно' },
  ca: { from: 'De', date: 'Enviat|Enviat el|Data', to: 'Per a', subject: 'Assumpte|Tema' },
  el: { from: 'Από', date: 'Στάλθηκε|Ημερομηνία', to: 'Προς', subject: 'Θέμα' },
  he: { from: 'מאת', date: 'נשלח|תאריך', to: 'אל', subject: 'נושא' },
  id: { from: 'Dari', date: 'Dikirim|Tanggal', to: 'Kepada|Ke', subject: 'Subjek|Perihal' },
  lt: { from: 'Nuo', date: 'Išsiųsta|Data', to: 'Kam|Iki', subject: 'Tema' },
  lv: { from: 'No', date: 'Nosūtīts|Datums', to: 'Kam', subject: 'Tēma' },
  sl: { from: 'Od', date: 'Poslano|Datum', to: 'Za', subject: 'Zadeva' },
  sr: { from: 'Od|Од', date: 'Poslato|Послато|Datum|Датум', to: 'Za|За', subject: 'Naslov|Predmet|Наслов' },
  th: { from: 'จาก', date: 'ส่ง|วันที่', to: 'ถึง', subject: 'เรื่อง' },
  vi: { from: 'Từ', date: 'Đã gửi|Ngày|Gửi', to: 'Đến|Tới', subject: 'Chủ đề|Tiêu đề' },
  uk: { from: 'Від|Від кого', date: 'Відправлено|Надіслано|Дата', to: 'Кому', subject: 'Тема' },
  zh: {
    from: '发件人|寄件者|寄件人',
    date: '发送时间|日期|寄件日期|傳送時間',
    to: '收件人|收件者',
    subject: '主题|主旨|主題',
  },
};
const OTHER_FIELDS =
  'Cc|Kopie|Kopio|Másolat|Kopi|Dw|Копия|Kopia|Bilgi|Копія|Kópia|Copie à|CC|抄送|副本|참조|Reply-To|Svar til|Antwort an';

/** What each label (in lower case) may be. */
export const MAIL_FIELDS: ReadonlyMap<
  string,
  readonly { readonly language: string; readonly field: MailField }[]
> = fieldsByLabel();

function fieldsByLabel() {
  const labels = new Map<string, { language: string; field: MailField }[]>();
  const add = (words: string, language: string, field: MailField) => {
    for (const word of words.toLowerCase().split('|')) {
      labels.set(word, [...(labels.get(word) ?? []), { language, field }]);
    }
  };
  for (const [language, words] of Object.entries(FIELDS)) {
    add(words.from, language, 'from');
    const [sent = '', ...dates] = words.date.split('|');
    add(sent, language, 'sent');
    for (const date of dates) add(date, language, 'date');
    add(words.to, language, 'to');
    add(words.subject, language, 'subject');
    add(OTHER_FIELDS, language, 'other');
  }
  return labels;
}

/** How `On Monday, Ada wrote:` begins, where a language has a word for it, and the verb. */
export const MAIL_WROTE: readonly { readonly begin: RegExp; readonly verb: RegExp }[] = [
  { begin: /^On\s/i, verb: /\b(?:wrote|sent)\s?:$/i },
  { begin: /^(?:Am|Den)\s/i, verb: /\s(?:schrieb|hat geschrieben)\b.*:$/i },
  { begin: /^Le\s/i, verb: /\sa écrit\s?:$/i },
  { begin: /^El\s/i, verb: /\sescribió\s?:$/i },
  { begin: /^(?:Il|In data)\s/i, verb: /\sha scritto\s?:$/i },
  { begin: /^(?:Em|A|No dia)\s/i, verb: /\sescreveu\b.*:$/i },
  { begin: /^Op\s/i, verb: /\s(?:schreef|geschreven|verzond)\b.*:$/i },
  { begin: /^(?:Den|På|D\.)\s/i, verb: /\sskrev\b.*:$/i },
  { begin: /^(?:W dniu|Dnia)\s/i, verb: /\s(?:napisał(?:\(a\)|a)?|pisze)(?:\s.*)?:$/i },
  { begin: /^Dne\s/i, verb: /\snapsal(?:\(a\)|a)?\s?:$/i },
  { begin: /^Dňa\s/i, verb: /\snapísal(?:\(a\)|a)?\s?:$/i },
  { begin: /^(?:ma|ti|ke|to|pe|la|su)\s/i, verb: /\skirjoitti\b.*:$/i },
  { begin: /^(?:În|Pe)\s/i, verb: /\sa scris\s?:$/i },
  { begin: /^Dana\s/i, verb: /\s(?:je napisao|je napisala|napisao je)(?:\/la)?.*:$/i },
  { begin: /^(?:\p{L}{2},|\d)/u, verb: /\s(?:написал|пишет|пише|написав)(?:\(а\)|а|ла)?(?:\s.*)?:$/i },
  { begin: /^\d/, verb: /(?:şunu yazdı|ezt írta|kirjutas)[^:]*:$/i },
  { begin: /^(?:在|於|于|\d|20\d\d年)/, verb: /(?:写道|寫道|のメッセージ|님이 작성|작성)\s?:$/ },
];

/** Lines between dashes that begin the mail which is answered or forwarded. */
export const MAIL_DIVIDERS: ReadonlySet<string> = new Set(
  [
    'original message|reply message|forwarded message|original appointment',
    'ursprüngliche nachricht|originalnachricht|antwort nachricht|weitergeleitete nachricht',
    "message d'origine|message d’origine|message original|message transféré|message transmis",
    'mensaje original|mensaje reenviado|messaggio originale|messaggio inoltrato',
    'mensagem original|mensagem encaminhada|mensagem reencaminhada',
    'oorspronkelijk bericht|doorgestuurd bericht|oprindelig besked|oprindelig meddelelse|videresendt meddelelse',
    'opprinnelig melding|videresendt melding|ursprungligt meddelande|vidarebefordrat meddelande',
    'alkuperäinen viesti|edelleenlähetetty viesti|wiadomość oryginalna|przekazana wiadomość',
    'původní zpráva|přeposlaná zpráva|pôvodná správa|preposlaná správa|eredeti üzenet|továbbított üzenet',
    'mesaj original|mesaj redirecționat|исходное сообщение|пересылаемое сообщение|перенаправленное сообщение',
    'перенаправлене повідомлення|переслане повідомлення|orijinal ileti|iletilmiş mesaj|iletilen i̇leti',
    '原始邮件|原始郵件|转发邮件|元のメッセージ|転送メッセージ|원본 메시지|전달된 메시지',
  ]
    .join('|')
    .split('|'),
);

/** What Apple Mail writes above a mail that it forwards, and what help desks write above what they quote. */
export const MAIL_OPENINGS: ReadonlySet<string> = new Set(
  [
    'begin forwarded message|začátek přeposílané zprávy|start på videresendt besked',
    'anfang der weitergeleiteten nachricht|inicio del mensaje reenviado|välitetty viesti alkaa',
    'début du message réexpédié|début du message transféré|započni proslijeđenu poruku',
    'továbbított levél kezdete|inizio messaggio inoltrato|begin doorgestuurd bericht|videresendt melding',
    'początek przekazywanej wiadomości|início da mensagem reencaminhada|início da mensagem encaminhada',
    'începe mesajul redirecționat|начало переадресованного сообщения|začiatok preposlanej správy',
    'vidarebefordrat mejl|ileti başlangıcı|початок листа, що пересилається',
    'reply above this line|write above this line|please reply above this line',
    'please type your reply above this line|please write above this line|type your reply above this line',
  ]
    .join('|')
    .split('|'),
);
