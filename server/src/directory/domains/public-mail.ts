const lines = `
gmail.com googlemail.com
outlook.com outlook.fr outlook.de outlook.es outlook.it outlook.jp outlook.com.br hotmail.com hotmail.co.uk hotmail.fr
hotmail.de hotmail.es hotmail.it hotmail.com.br hotmail.se hotmail.nl live.com live.co.uk live.fr live.de live.nl live.it
live.se live.dk live.no live.com.au live.ca msn.com passport.com
yahoo.com yahoo.co.uk yahoo.fr yahoo.de yahoo.es yahoo.it yahoo.co.jp yahoo.co.in yahoo.in yahoo.com.br yahoo.com.au
yahoo.com.mx yahoo.com.ar yahoo.ca yahoo.co.id yahoo.com.ph yahoo.com.sg yahoo.com.hk yahoo.com.tw ymail.com
rocketmail.com myyahoo.com aol.com aol.co.uk aol.de aol.fr aim.com
icloud.com me.com mac.com
proton.me protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tutamail.com tuta.io tuta.com keemail.me
fastmail.com fastmail.fm hushmail.com hush.com runbox.com posteo.de posteo.net mailbox.org mailfence.com disroot.org
riseup.net startmail.com countermail.com ctemplar.com skiff.com hey.com duck.com zohomail.com zohomail.eu
gmx.com gmx.net gmx.de gmx.at gmx.ch gmx.us gmx.co.uk gmx.fr web.de mail.com email.com usa.com freenet.de t-online.de
arcor.de 1und1.de freemail.hu citromail.hu
orange.fr wanadoo.fr free.fr sfr.fr laposte.net neuf.fr bbox.fr libero.it virgilio.it tiscali.it alice.it tin.it
terra.es terra.com.br uol.com.br bol.com.br ig.com.br globo.com globomail.com r7.com
btinternet.com ntlworld.com virginmedia.com talktalk.net blueyonder.co.uk tiscali.co.uk sky.com
comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net juno.com netzero.net
optonline.net rogers.com shaw.ca sympatico.ca videotron.ca bigpond.com optusnet.com.au xtra.co.nz
mail.ru inbox.ru list.ru bk.ru internet.ru yandex.ru yandex.com ya.ru yandex.by yandex.kz yandex.ua rambler.ru lenta.ru
ukr.net i.ua bigmir.net meta.ua
qq.com foxmail.com 163.com 126.com yeah.net sina.com sina.cn sohu.com 139.com 189.cn aliyun.com tom.com 21cn.com
naver.com daum.net hanmail.net nate.com kakao.com
docomo.ne.jp ezweb.ne.jp softbank.ne.jp i.softbank.jp nifty.com excite.co.jp
rediffmail.com indiatimes.com sify.com
seznam.cz email.cz post.cz centrum.cz centrum.sk atlas.cz azet.sk zoznam.sk wp.pl o2.pl onet.pl op.pl interia.pl
poczta.fm gazeta.pl tlen.pl abv.bg mail.bg inbox.lv inbox.lt mail.ee sapo.pt telenet.be skynet.be ziggo.nl kpnmail.nl
planet.nl hetnet.nl home.nl xs4all.nl bluewin.ch hispeed.ch chello.at aon.at online.no telia.com spray.se passagen.se
inet.fi luukku.com walla.co.il walla.com mynet.com
mailinator.com guerrillamail.com 10minutemail.com temp-mail.org yopmail.com trashmail.com sharklasers.com
dispostable.com getnada.com maildrop.cc throwawaymail.com mailnesia.com tempmail.com moakt.com
`

/**
 * Domains at which, and below which, anybody gets a mailbox, free or as a subscriber: no organization can speak for the
 * people who write from there. Only a fence in front of the DNS proof, which nobody else could give for these; so the
 * list keeps to well-known providers, and takes a name only where its owner's own staff writes from another one.
 */
export const publicMailDomains: ReadonlySet<string> = new Set(lines.split(/\s+/).filter(Boolean))
