/** What a preview says, in the languages of page-texts.ts. */

export interface PreviewTexts {
  heading: string
  /** Before the title, which the link's owner has written. */
  title: string
  /** The link that is counted as a visit. */
  follow: string
  /** For a host with other letters than a–z, which is shown as punycode. */
  foreignLetters: string
  /** Where the link leads now that it is over. */
  expired: string
}

export const previewTexts: Record<string, PreviewTexts> = {
  en: {
    heading: 'Where this link leads',
    title: 'Its owner calls it:',
    follow: 'Follow the link',
    foreignLetters:
      'The name of this site contains letters beyond a–z and may look like the name of another site.',
    expired: 'This link has expired and leads to another address now.',
  },
  de: {
    heading: 'Wohin dieser Link führt',
    title: 'So nennt ihn, wer ihn angelegt hat:',
    follow: 'Dem Link folgen',
    foreignLetters:
      'Der Name dieser Website enthält andere Buchstaben als a–z und kann dem einer anderen Website zum Verwechseln ähnlich sehen.',
    expired: 'Dieser Link ist abgelaufen und führt nun zu einer anderen Adresse.',
  },
  fr: {
    heading: 'Où mène ce lien',
    title: 'La personne qui l’a créé l’appelle :',
    follow: 'Suivre le lien',
    foreignLetters:
      'Le nom de ce site contient des lettres autres que a–z et peut ressembler à celui d’un autre site.',
    expired: 'Ce lien a expiré et mène désormais à une autre adresse.',
  },
  es: {
    heading: 'Adónde lleva este enlace',
    title: 'Quien lo creó lo llama:',
    follow: 'Seguir el enlace',
    foreignLetters:
      'El nombre de este sitio contiene letras distintas de a–z y puede parecerse al de otro sitio.',
    expired: 'Este enlace ha caducado y ahora lleva a otra dirección.',
  },
  it: {
    heading: 'Dove porta questo link',
    title: 'Chi l’ha creato lo chiama:',
    follow: 'Segui il link',
    foreignLetters:
      'Il nome di questo sito contiene lettere diverse da a–z e può somigliare a quello di un altro sito.',
    expired: 'Questo link è scaduto e ora porta a un altro indirizzo.',
  },
  pt: {
    heading: 'Aonde leva este link',
    title: 'Quem o criou chama-lhe:',
    follow: 'Seguir o link',
    foreignLetters:
      'O nome deste site contém letras diferentes de a–z e pode parecer-se com o de outro site.',
    expired: 'Este link expirou e leva agora a outro endereço.',
  },
  nl: {
    heading: 'Waar deze link heen leidt',
    title: 'Wie hem maakte, noemt hem:',
    follow: 'De link volgen',
    foreignLetters:
      'De naam van deze site bevat andere letters dan a–z en kan op die van een andere site lijken.',
    expired: 'Deze link is verlopen en leidt nu naar een ander adres.',
  },
  pl: {
    heading: 'Dokąd prowadzi ten link',
    title: 'Jego autor nazywa go:',
    follow: 'Otwórz link',
    foreignLetters: 'Nazwa tej strony zawiera litery inne niż a–z i może przypominać nazwę innej strony.',
    expired: 'Ten link wygasł i prowadzi teraz pod inny adres.',
  },
  ja: {
    heading: 'このリンクの行き先',
    title: '作成者が付けたタイトル：',
    follow: 'リンクを開く',
    foreignLetters: 'このサイト名には a–z 以外の文字が含まれており、別のサイト名に似て見えることがあります。',
    expired: 'このリンクは期限切れで、現在は別のアドレスにつながります。',
  },
  zh: {
    heading: '此链接的去处',
    title: '创建者所加的标题：',
    follow: '打开链接',
    foreignLetters: '此网站的名称含有 a–z 以外的字母，看起来可能与其他网站相似。',
    expired: '此链接已过期，现在指向另一个地址。',
  },
}
