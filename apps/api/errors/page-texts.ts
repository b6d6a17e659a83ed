/** What the pages of page.ts say: for each language and status the heading and a sentence about what to do. */

export type PageStatus = 400 | 404 | 405 | 410 | 500 | 503 | 508
type Texts = Record<PageStatus, readonly [heading: string, advice: string]>

export const pageTexts: Record<string, Texts> = {
  en: {
    400: ['This link is damaged', 'Check that you copied all of it, and nothing else.'],
    404: ['There is no such link', 'Check that you copied all of it, or ask whoever gave it to you.'],
    405: ['This does not work here', 'Open the link in your browser’s address bar instead.'],
    410: ['This link has expired', 'Ask whoever gave it to you for a new one.'],
    500: ['Something went wrong', 'Please try again in a while.'],
    503: ['This link can’t be opened right now', 'Please try again in a moment.'],
    508: ['This link leads nowhere', 'It leads back to itself. Ask whoever gave it to you for another one.'],
  },
  de: {
    400: ['Dieser Link ist beschädigt', 'Prüfen Sie, ob er vollständig ist und nichts dahinter steht.'],
    404: [
      'Diesen Link gibt es nicht',
      'Prüfen Sie, ob er vollständig ist, oder fragen Sie, von wem Sie ihn haben.',
    ],
    405: ['Das geht hier nicht', 'Öffnen Sie den Link stattdessen in der Adresszeile Ihres Browsers.'],
    410: ['Dieser Link ist abgelaufen', 'Bitten Sie die Person, von der Sie ihn haben, um einen neuen.'],
    500: ['Etwas ist schiefgegangen', 'Bitte versuchen Sie es später noch einmal.'],
    503: ['Dieser Link lässt sich gerade nicht öffnen', 'Bitte versuchen Sie es gleich noch einmal.'],
    508: ['Dieser Link führt im Kreis', 'Bitten Sie die Person, von der Sie ihn haben, um einen anderen.'],
  },
  fr: {
    400: ['Ce lien est endommagé', 'Vérifiez que vous l’avez copié en entier, sans rien d’autre.'],
    404: [
      'Ce lien n’existe pas',
      'Vérifiez que vous l’avez copié en entier, ou demandez à la personne qui vous l’a donné.',
    ],
    405: ['Cela ne fonctionne pas ici', 'Ouvrez plutôt le lien dans la barre d’adresse de votre navigateur.'],
    410: ['Ce lien a expiré', 'Demandez-en un nouveau à la personne qui vous l’a donné.'],
    500: ['Une erreur s’est produite', 'Veuillez réessayer plus tard.'],
    503: ['Ce lien ne peut pas être ouvert pour le moment', 'Veuillez réessayer dans un instant.'],
    508: ['Ce lien tourne en rond', 'Demandez-en un autre à la personne qui vous l’a donné.'],
  },
  es: {
    400: ['Este enlace está dañado', 'Comprueba que lo has copiado entero y sin nada más.'],
    404: ['Este enlace no existe', 'Comprueba que lo has copiado entero o pregunta a quien te lo dio.'],
    405: ['Esto no funciona aquí', 'Abre el enlace en la barra de direcciones de tu navegador.'],
    410: ['Este enlace ha caducado', 'Pide uno nuevo a quien te lo dio.'],
    500: ['Algo ha salido mal', 'Vuelve a intentarlo más tarde.'],
    503: ['Este enlace no se puede abrir ahora', 'Vuelve a intentarlo dentro de un momento.'],
    508: ['Este enlace no lleva a ninguna parte', 'Vuelve a sí mismo. Pide otro a quien te lo dio.'],
  },
  it: {
    400: ['Questo link è danneggiato', 'Controlla di averlo copiato per intero e senza altro.'],
    404: ['Questo link non esiste', 'Controlla di averlo copiato per intero o chiedi a chi te l’ha dato.'],
    405: ['Qui non funziona', 'Apri invece il link nella barra degli indirizzi del browser.'],
    410: ['Questo link è scaduto', 'Chiedine uno nuovo a chi te l’ha dato.'],
    500: ['Qualcosa è andato storto', 'Riprova più tardi.'],
    503: ['Al momento questo link non si può aprire', 'Riprova tra un attimo.'],
    508: [
      'Questo link non porta da nessuna parte',
      'Riporta a sé stesso. Chiedine un altro a chi te l’ha dato.',
    ],
  },
  pt: {
    400: ['Este link está danificado', 'Verifique se o copiou por inteiro e sem mais nada.'],
    404: ['Este link não existe', 'Verifique se o copiou por inteiro ou pergunte a quem o enviou.'],
    405: ['Isto não funciona aqui', 'Abra o link na barra de endereços do navegador.'],
    410: ['Este link expirou', 'Peça um novo a quem o enviou.'],
    500: ['Algo correu mal', 'Tente novamente mais tarde.'],
    503: ['Não é possível abrir este link agora', 'Tente novamente dentro de momentos.'],
    508: ['Este link não leva a lugar nenhum', 'Ele volta a si mesmo. Peça outro a quem o enviou.'],
  },
  nl: {
    400: ['Deze link is beschadigd', 'Controleer of je hem helemaal hebt gekopieerd, zonder iets erachter.'],
    404: [
      'Deze link bestaat niet',
      'Controleer of je hem helemaal hebt gekopieerd, of vraag het aan wie hem gaf.',
    ],
    405: ['Dat werkt hier niet', 'Open de link in de adresbalk van je browser.'],
    410: ['Deze link is verlopen', 'Vraag een nieuwe aan degene die hem gaf.'],
    500: ['Er ging iets mis', 'Probeer het later opnieuw.'],
    503: ['Deze link kan nu niet worden geopend', 'Probeer het zo meteen opnieuw.'],
    508: [
      'Deze link leidt nergens heen',
      'Hij leidt terug naar zichzelf. Vraag een andere aan degene die hem gaf.',
    ],
  },
  pl: {
    400: ['Ten link jest uszkodzony', 'Sprawdź, czy został skopiowany w całości i bez niczego więcej.'],
    404: [
      'Nie ma takiego linku',
      'Sprawdź, czy został skopiowany w całości, lub zapytaj osobę, od której go masz.',
    ],
    405: ['To tutaj nie działa', 'Otwórz link w pasku adresu przeglądarki.'],
    410: ['Ten link wygasł', 'Poproś o nowy osobę, od której go masz.'],
    500: ['Coś poszło nie tak', 'Spróbuj ponownie później.'],
    503: ['Nie można teraz otworzyć tego linku', 'Spróbuj ponownie za chwilę.'],
    508: ['Ten link donikąd nie prowadzi', 'Prowadzi sam do siebie. Poproś o inny osobę, od której go masz.'],
  },
  ja: {
    400: ['このリンクは壊れています', 'リンク全体が正しくコピーされているかご確認ください。'],
    404: ['このリンクは存在しません', 'リンク全体が正しくコピーされているか、送り主にご確認ください。'],
    405: ['ここではご利用いただけません', 'ブラウザーのアドレスバーでリンクを開いてください。'],
    410: ['このリンクは期限切れです', '新しいリンクを送り主にお尋ねください。'],
    500: ['問題が発生しました', 'しばらくしてからもう一度お試しください。'],
    503: ['このリンクは現在開けません', '少し待ってからもう一度お試しください。'],
    508: ['このリンクは行き先がありません', 'リンクが自分自身に戻っています。送り主にお尋ねください。'],
  },
  zh: {
    400: ['此链接已损坏', '请检查链接是否复制完整，且没有多余的内容。'],
    404: ['此链接不存在', '请检查链接是否复制完整，或询问提供链接的人。'],
    405: ['此处无法使用', '请在浏览器的地址栏中打开链接。'],
    410: ['此链接已过期', '请向提供链接的人索取新的链接。'],
    500: ['出了点问题', '请稍后再试。'],
    503: ['暂时无法打开此链接', '请稍等片刻再试。'],
    508: ['此链接没有去处', '它会跳转回自身。请向提供链接的人索取其他链接。'],
  },
}
