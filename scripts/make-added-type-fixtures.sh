#!/usr/bin/env bash
# Makes the files under test/fixtures/types/<type>/ again: the types that are off by default. README.md there names the files
# of other projects, which are taken out of git directories under $SOURCES if that is set.
# Needs (Debian): ffmpeg sox libsox-fmt-all graphicsmagick netpbm gifsicle libheif-examples vorbis-tools opus-tools speex gnumeric abiword
#   libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui python3-openpyxl python3-xlwt python3-xlsxwriter
#   python3-odf python3-vobject python3-icalendar python3-pil; and npm, which installs the JavaScript writers into a temporary folder.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
out="$root/test/fixtures/types"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"/{gif,heic,3gp,aiff,ogg,aac,m4a,amr,csv,xls,xlsx,ppt,pptx,odt,vcf,ics}
cd "$work"
export SOURCE_DATE_EPOCH=1700000000
ff() { ffmpeg -hide_banner -loglevel error -nostdin -y "$@" -map_metadata -1 -fflags +bitexact; }
lo() { soffice -env:UserInstallation=file://"$work"/profile --headless "$@" >/dev/null 2>&1; }
pic=(-f lavfi -i "testsrc=size=64x48:rate=10:duration=1")
tone=(-f lavfi -i "sine=frequency=440:duration=1")

# --- pictures
ff "${pic[@]}" -frames:v 1 picture.png
gm convert picture.png "$out/gif/graphicsmagick.gif"
ff "${pic[@]}" -frames:v 3 "$out/gif/ffmpeg-animated.gif"
pngtopnm picture.png 2>/dev/null | ppmquant 16 2>/dev/null | pamtogif > "$out/gif/netpbm-gif87a.gif" 2>/dev/null \
  || pngtopnm picture.png | pnmquant 16 | ppmtogif > "$out/gif/netpbm-gif87a.gif"
gifsicle -O3 "$out/gif/ffmpeg-animated.gif" -o "$out/gif/gifsicle-optimised.gif"
heif-enc -q 30 -o "$out/heic/heif-enc.heic" picture.png >/dev/null
heif-enc -q 30 -t 32 -o "$out/heic/heif-enc-thumbnail.heic" picture.png >/dev/null
heif-enc -L -o "$out/heic/heif-enc-lossless.heic" picture.png >/dev/null

# --- video
ff "${pic[@]}" -vf scale=128:96 -c:v h263 -b:v 30k -f 3gp "$out/3gp/ffmpeg-h263.3gp"
ff "${pic[@]}" "${tone[@]}" -c:v libx264 -pix_fmt yuv420p -crf 40 -c:a aac -b:a 16k -f 3gp "$out/3gp/ffmpeg-h264.3gp"
ff "${pic[@]}" "${tone[@]}" -c:v mpeg4 -q:v 20 -c:a aac -b:a 16k -movflags +faststart -f 3gp "$out/3gp/ffmpeg-mpeg4.3gp"
ff "${tone[@]}" -c:a aac -b:a 16k -f 3gp "$out/3gp/ffmpeg-sound.3gp"
ff "${pic[@]}" "${tone[@]}" -c:v mpeg4 -q:v 20 -c:a aac -b:a 16k -f 3g2 "$out/3gp/near-miss.3g2"
ff "${pic[@]}" "${tone[@]}" -c:v libx264 -pix_fmt yuv420p -crf 40 -c:a aac -b:a 16k -brand isom -f mp4 "$out/m4a/near-miss-isom.mp4"

# --- sound
sox -n -r 8000 -b 16 -c 1 tone.wav synth 0.5 sine 440
sox tone.wav "$out/aiff/sox.aiff"
sox tone.wav -t aifc "$out/aiff/sox-aifc.aif"
ff -i tone.wav "$out/aiff/ffmpeg.aif"
ff -i tone.wav -c:a pcm_s16le -f aiff "$out/aiff/ffmpeg-sowt.aiff"
ff -i tone.wav -c:a libvorbis "$out/ogg/ffmpeg-vorbis.ogg"
ff -i tone.wav -c:a flac -f ogg "$out/ogg/ffmpeg-flac.ogg"
ff -i tone.wav -c:a libspeex "$out/ogg/ffmpeg-speex.ogg"
sox tone.wav -r 16000 "$out/ogg/sox-vorbis.ogg"
oggenc -Q -q 0 -o "$out/ogg/oggenc.ogg" tone.wav
opusenc --quiet --bitrate 8 tone.wav "$out/ogg/opusenc.ogg"
speexenc tone.wav "$out/ogg/speexenc.ogg" >/dev/null 2>&1
ff "${pic[@]}" "${tone[@]}" -c:v libtheora -q:v 1 -c:a libvorbis -f ogg "$out/ogg/near-miss-theora.ogv"
for rate in 16000 44100; do ff -i tone.wav -ar $rate -ac 2 -c:a aac -b:a 32k -f adts "$out/aac/ffmpeg-$rate.aac"; done
ff -i tone.wav -c:a aac -b:a 16k -ar 22050 -f adts "$out/aac/ffmpeg-mono.aac"
ff -i tone.wav -c:a aac -b:a 16k -f latm "$out/aac/near-miss.latm"
ff -i tone.wav -c:a aac -b:a 16k -f ipod "$out/m4a/ffmpeg-ipod.m4a"
ff -i tone.wav -c:a alac -f ipod "$out/m4a/ffmpeg-alac.m4a"
ff -i tone.wav -c:a aac -b:a 16k -f mp4 "$out/m4a/ffmpeg-isom.m4a"
ff -i tone.wav -c:a aac -b:a 16k -movflags +faststart -brand mp42 -f mp4 "$out/m4a/ffmpeg-mp42.m4a"
for rate in 0 3 5 7; do sox tone.wav -C $rate "$out/amr/sox-$rate.amr-nb" && mv "$out/amr/sox-$rate.amr-nb" "$out/amr/sox-mode$rate.amr"; done

# --- documents
cat > table.csv <<'T'
Nombre;Importe
"Núñez, Ana";1200,50
Bob;-3
T
cat > page.html <<'T'
<html><body><h1>Acta</h1><p>La reunión empezó a las nueve.</p><table><tr><td>uno</td><td>2</td></tr></table></body></html>
T
cat > slides.fodp <<'T'
<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" office:version="1.2"
 office:mimetype="application/vnd.oasis.opendocument.presentation"><office:body><office:presentation>
 <draw:page draw:name="one"><draw:frame svg:width="9cm" svg:height="2cm" svg:x="1cm" svg:y="1cm"><draw:text-box>
 <text:p>Una lámina</text:p></draw:text-box></draw:frame></draw:page></office:presentation></office:body></office:document>
T
lo --infilter="HTML (StarWriter)" --convert-to odt page.html && mv page.odt "$out/odt/libreoffice.odt"
cp "$out/odt/libreoffice.odt" page.odt
lo --convert-to ott page.odt && mv page.ott "$out/odt/near-miss-template.ott"
abiword --to=odt -o "$out/odt/abiword.odt" page.html 2>/dev/null || true
lo --convert-to xls:"MS Excel 97" table.csv && mv table.xls "$out/xls/libreoffice.xls"
lo --convert-to xls:"MS Excel 5.0/95" table.csv && mv table.xls "$out/xls/libreoffice-excel95.xls" || true
lo --convert-to xlsx:"Calc MS Excel 2007 XML" table.csv && mv table.xlsx "$out/xlsx/libreoffice.xlsx"
lo --convert-to pptx:"Impress MS PowerPoint 2007 XML" slides.fodp && mv slides.pptx "$out/pptx/libreoffice.pptx"
lo --convert-to ppt:"MS PowerPoint 97" slides.fodp && mv slides.ppt "$out/ppt/libreoffice.ppt"
lo --convert-to odp slides.fodp && mv slides.odp "$out/odt/near-miss.odp"
ssconvert -T Gnumeric_Excel:excel_biff8 table.csv "$out/xls/gnumeric.xls" 2>/dev/null
ssconvert -T Gnumeric_Excel:excel_biff7 table.csv "$out/xls/gnumeric-excel95.xls" 2>/dev/null
ssconvert -T Gnumeric_Excel:xlsx table.csv "$out/xlsx/gnumeric.xlsx" 2>/dev/null
ssconvert -T Gnumeric_stf:stf_csv "$out/xls/gnumeric.xls" "$out/csv/gnumeric.csv" 2>/dev/null
lo --convert-to csv:"Text - txt - csv (StarCalc)":59,34,76 "$out/xls/libreoffice.xls" && mv libreoffice.csv "$out/csv/libreoffice-semicolons.csv"
cp page.html "$out/xls/near-miss-html.xls"

/usr/bin/python3 - "$out" <<'P'
import csv, datetime, io, pathlib, sys, zipfile
import icalendar, openpyxl, vobject, xlsxwriter, xlwt
from odf.opendocument import OpenDocumentText
from odf.text import P, H
from PIL import Image
out = pathlib.Path(sys.argv[1])
rows = [['Nombre', 'Importe'], ['Núñez, Ana', 1200.5], ['Bob', -3]]
picture = Image.new('P', (20, 10)); picture.putpixel((3, 3), 5); picture.save(out / 'gif/pillow.gif')
book = openpyxl.Workbook()
for row in rows: book.active.append(row)
book.save(out / 'xlsx/openpyxl.xlsx')
book = xlsxwriter.Workbook(out / 'xlsx/xlsxwriter.xlsx'); sheet = book.add_worksheet('Datos')
for i, row in enumerate(rows): sheet.write_row(i, 0, row)
chart = book.add_chart({'type': 'line'}); chart.add_series({'values': '=Datos!$B$2:$B$3'}); sheet.insert_chart('D2', chart)
book.close()
book = xlwt.Workbook(); sheet = book.add_sheet('Datos')
for i, row in enumerate(rows):
    for j, value in enumerate(row): sheet.write(i, j, value)
book.save(str(out / 'xls/xlwt.xls'))
for name, dialect, encoding in [('excel', 'excel', 'utf-8-sig'), ('tabs', 'excel-tab', 'utf-16'), ('unix', 'unix', 'latin1')]:
    text = io.StringIO(); csv.writer(text, dialect).writerows(rows)
    (out / f'csv/python-{name}.csv').write_bytes(text.getvalue().encode(encoding))
for name, style in [('plain', None), ('heading', 1)]:
    doc = OpenDocumentText()
    if style: doc.text.addElement(H(outlinelevel=style, text='Acta'))
    doc.text.addElement(P(text='La reunión empezó a las nueve.')); doc.save(str(out / f'odt/odfpy-{name}.odt'))
card = vobject.vCard(); card.add('n').value = vobject.vcard.Name('Núñez', 'Ana'); card.add('fn').value = 'Ana Núñez'; card.add('tel').value = '+34 600 000 000'
(out / 'vcf/vobject.vcf').write_text(card.serialize(), newline='')
(out / 'vcf/windows-21.vcf').write_bytes(b'BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=windows-1252:N\xfa\xf1ez;Ana\r\nTEL;CELL:600000000\r\nEND:VCARD\r\n')
(out / 'vcf/two-cards.vcard').write_bytes(b'BEGIN:VCARD\nVERSION:4.0\nFN:Ana\nEND:VCARD\nBEGIN:VCARD\nVERSION:4.0\nFN:Bob\nEND:VCARD\n')
when = datetime.datetime(2026, 1, 2, 9, tzinfo=datetime.timezone.utc)
cal = icalendar.Calendar(); cal.add('prodid', '-//Nobody//ES'); cal.add('version', '2.0'); event = icalendar.Event()
event.add('summary', 'Reunión'); event.add('dtstart', when); event.add('uid', '1@example.com'); cal.add_component(event)
(out / 'ics/icalendar.ics').write_bytes(cal.to_ical())
cal = vobject.iCalendar(); cal.add('vevent').add('summary').value = 'Reunión'; cal.vevent.add('dtstart').value = when.replace(tzinfo=None); cal.vevent.add('uid').value = '2@example.com'
(out / 'ics/vobject.ics').write_text(cal.serialize(), newline='')
# --- near misses
def again(source, target, change):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, 'w', zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            for name, data in change(item.filename, old.read(item)): new.writestr(name, data, zipfile.ZIP_STORED if name == 'mimetype' else zipfile.ZIP_DEFLATED)
MAIN = {'xlsx': b'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml', 'pptx': b'application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml'}
for kind, source, part, macro, template in [
    ('xlsx', 'xlsx/openpyxl.xlsx', 'xl/workbook.xml', b'application/vnd.ms-excel.sheet.macroEnabled.main+xml', b'application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml'),
    ('pptx', 'pptx/libreoffice.pptx', 'ppt/presentation.xml', b'application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml', b'application/vnd.openxmlformats-officedocument.presentationml.template.main+xml')]:
    folder = out / kind
    types = lambda to: lambda name, data: [(name, data.replace(MAIN[kind], to) if name == '[Content_Types].xml' else data)]
    again(out / source, folder / f'near-miss-macros.{kind[:3]}m', types(macro))
    again(out / source, folder / f'near-miss-template.{kind}', types(template))
    again(out / source, folder / f'near-miss-vba-part.{kind}', lambda name, data: [(name, data)] + ([('xl/vbaProject.bin' if kind == 'xlsx' else 'ppt/vbaProject.bin', b'x')] if name == part else []))
    again(out / source, folder / f'near-miss-no-list.{kind}', lambda name, data: [] if name == '[Content_Types].xml' else [(name, data)])
    again(out / source, folder / f'near-miss-no-main-part.{kind}', lambda name, data: [] if name == part else [(name, data)])
    again(out / source, folder / f'near-miss-jar.{kind}', lambda name, data: [(name, data)] + ([('META-INF/MANIFEST.MF', b'Manifest-Version: 1.0\n')] if name == part else []))
    data = (out / source).read_bytes(); (folder / f'near-miss-truncated.{kind}').write_bytes(data[:len(data) * 2 // 3])
odt = out / 'odt/odfpy-plain.odt'
again(odt, out / 'odt/near-miss-no-content.odt', lambda name, data: [] if name == 'content.xml' else [(name, data)])
again(odt, out / 'odt/near-miss-no-manifest.odt', lambda name, data: [] if 'manifest' in name else [(name, data)])
again(odt, out / 'odt/near-miss-other-mimetype.odt', lambda name, data: [(name, b'application/epub+zip' if name == 'mimetype' else data)])
again(odt, out / 'odt/near-miss-workbook-inside.odt', lambda name, data: [(name, data)] + ([('xl/workbook.xml', b'<workbook/>')] if name == 'content.xml' else []))
data = odt.read_bytes(); (out / 'odt/near-miss-truncated.odt').write_bytes(data[:len(data) // 2])
with zipfile.ZipFile(odt) as old, zipfile.ZipFile(out / 'odt/near-miss-mimetype-last.odt', 'w') as new:
    for name in [n for n in old.namelist() if n != 'mimetype'] + ['mimetype']: new.writestr(name, old.read(name))
gif = (out / 'gif/pillow.gif').read_bytes()
for name, data in {'version': gif[:4] + b'8a' + gif[6:], 'only-header.gif': gif[:10], 'no-width': gif[:6] + b'\0\0' + gif[8:], 'no-block': gif[:13] + b'\0' * 800, 'text': b'GIF89a is the name of a picture format from 1989.\n'}.items():
    (out / f'gif/near-miss-{name.removesuffix(".gif")}.gif').write_bytes(data)
aiff = (out / 'aiff/sox.aiff').read_bytes()
for name, data in {'8svx': aiff[:8] + b'8SVX' + aiff[12:], 'ilbm': aiff[:8] + b'ILBM' + aiff[12:], 'little-endian': b'MROF' + aiff[4:], 'only-header': aiff[:12], 'text': b'FORM letters of the AIFF kind are to be filled in.\n', 'film': aiff[:4] + b'ftyp' + aiff[8:]}.items():
    (out / f'aiff/near-miss-{name}.aiff').write_bytes(data)
amr = (out / 'amr/sox-mode7.amr').read_bytes()
for name, data in {'no-frame': amr[:6], 'padding-bits': amr[:6] + bytes([amr[6] | 0x83]) + amr[7:], 'reserved-frame': amr[:6] + bytes([12 << 3]) + amr[7:], 'channels': b'#!AMR_MC1.0\n\0\0\0\1' + amr[6:], 'wide-band': b'#!AMR-WB\n\x04' + amr[7:], 'text': b'#!AMRITA is a name, and this is a text.\n', 'carriage-return': b'#!AMR\r\n' + amr[6:]}.items():
    (out / f'amr/near-miss-{name}.amr').write_bytes(data)
aac = (out / 'aac/ffmpeg-44100.aac').read_bytes()
for name, data in {'one-frame': aac[:7] + b'\0' * 4200, 'layer': aac[:1] + bytes([aac[1] | 6]) + aac[2:], 'rate': aac[:2] + bytes([aac[2] | 0x3c]) + aac[3:], 'shifted': b'\0' + aac, 'adif': b'ADIF' + aac, 'cut': aac[:40]}.items():
    (out / f'aac/near-miss-{name}.aac').write_bytes(data)
ogg = (out / 'ogg/oggenc.ogg').read_bytes()
for name, data in {'version': ogg[:4] + b'\1' + ogg[5:], 'codec': ogg.replace(b'vorbis', b'zorbis', 1), 'not-first': ogg[:5] + b'\0' + ogg[6:], 'only-header': ogg[:26], 'text': b'OggS is what such files begin with.\n', 'shifted': b'\0' + ogg}.items():
    (out / f'ogg/near-miss-{name}.ogg').write_bytes(data)
heic = (out / 'heic/heif-enc.heic').read_bytes()
for name, brand in {'avif': b'avif', 'sequence': b'hevc', 'quicktime': b'qt  ', 'jpeg': b'jpeg', 'jpeg2000': b'jp2 ', 'm4a': b'M4A '}.items():
    (out / f'heic/near-miss-{name}.heic').write_bytes(heic[:8] + brand + heic[12:])
(out / 'heic/near-miss-no-box.heic').write_bytes(heic[4:])
phone = (out / '3gp/ffmpeg-h263.3gp').read_bytes()
for name, brand in {'quicktime': b'qt  ', 'm4a': b'M4A ', 'unknown': b'3gz4', 'short-box': None}.items():
    (out / f'3gp/near-miss-{name}.3gp').write_bytes(phone[:8] + brand + b'\0\0\0\0' + b'free' * ((phone[3] - 16) // 4) + phone[phone[3]:] if brand else b'\0\0\0\x0c' + phone[4:])
m4a = (out / 'm4a/ffmpeg-ipod.m4a').read_bytes()
for name, data in {'no-moov': m4a[:m4a.rindex(b'moov') - 4], 'cut': m4a[:-100], 'quicktime': m4a[:8] + b'qt  ' + m4a[12:], '3g2': m4a[:8] + b'3g2a' + m4a[12:], 'no-sound': m4a.replace(b'soun', b'text')}.items():
    (out / f'm4a/near-miss-{name}.m4a').write_bytes(data)
for folder, first in [('vcf', 'VCARD'), ('ics', 'VCALENDAR')]:
    for name, data in {'blank-line': f'\r\nBEGIN:{first}\r\nEND:{first}\r\n'.encode(), 'other-word': f'BEGIN:{first}S\r\nEND\r\n'.encode(), 'binary': f'BEGIN:{first}\r\nNOTE:\0\1\2\r\nEND:{first}\r\n'.encode(), 'late-binary': f'BEGIN:{first}\r\nNOTE:{"x" * 6000}\0\r\n'.encode(), 'no-colon': f'BEGIN {first}\r\n'.encode(), 'quoted': f'"BEGIN:{first}"\r\n'.encode(), 'escape': f'BEGIN:{first}\r\n\x1b[2J\r\n'.encode()}.items():
        (out / folder / f'near-miss-{name}.{folder}').write_bytes(data)
for name, data in {'xml': b'<?xml version="1.0"?><rows><row>1,2</row></rows>', 'html': b'<table><tr><td>1,2</td></tr></table>', 'vcard': b'BEGIN:VCARD\nFN:A,B\nEND:VCARD\n', 'calendar': b'BEGIN:VCALENDAR\nEND:VCALENDAR\n', 'nul': b'a,b\n1,\0\n', 'late-nul': b'a,b\n' * 2000 + b'1,\0\n', 'utf16-without-mark': 'a,b\n1,2\n'.encode('utf-16-le'), 'rtf': b'{\\rtf1 a,b}', 'postscript': b'%!PS\n1,2\n', 'escape': b'a,b\n\x1b[31m1,2\n'}.items():
    (out / f'csv/near-miss-{name}.csv').write_bytes(data)
P

# --- written by JavaScript
if [ -z "${JS_WRITERS:-}" ]; then
  JS_WRITERS="$work/js" && mkdir -p "$JS_WRITERS" && (cd "$JS_WRITERS" && echo '{"private":true}' > package.json && npm install --silent --ignore-scripts \
    xlsx exceljs pptxgenjs ics ical-generator vcards-js vcard-creator gifenc officegen xlsx-populate write-excel-file papaparse csv-stringify mediabunny)
fi
cat > "$JS_WRITERS/write.mjs" <<'J'
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import XLSX from 'xlsx';
import ExcelJS from 'exceljs';
import PptxGenJS from 'pptxgenjs';
import officegen from 'officegen';
import XlsxPopulate from 'xlsx-populate';
import Papa from 'papaparse';
import { stringify } from 'csv-stringify/sync';
import { createEvent } from 'ics';
import ical from 'ical-generator';
import vCardsJS from 'vcards-js';
import gifenc from 'gifenc';
const out = process.argv[2];
const rows = [['Nombre', 'Importe'], ['Núñez, Ana', 1200.5], ['Bob', -3]];
const sheetjs = () => { const book = XLSX.utils.book_new(); XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet(rows), 'Datos'); return book; };
for (const [bookType, name, options] of [['xlsx', 'xlsx/sheetjs.xlsx', {}], ['xlsx', 'xlsx/sheetjs-packed.xlsx', { compression: true }],
  ['biff8', 'xls/sheetjs.xls', {}], ['biff5', 'xls/sheetjs-biff5.xls', {}], ['biff2', 'xls/near-miss-biff2.xls', {}], ['xlml', 'xls/near-miss-xml.xls', {}],
  ['sylk', 'xls/near-miss-sylk.xls', {}], ['xlsb', 'xlsx/near-miss-binary.xlsb', {}], ['csv', 'csv/sheetjs.csv', {}], ['rtf', 'xls/near-miss-rtf.xls', {}], ['txt', 'xls/near-miss-tabs.xls', {}]])
  XLSX.writeFile(sheetjs(), `${out}/${name}`, { bookType, ...options });
const workbook = new ExcelJS.Workbook(); workbook.addWorksheet('Datos').addRows(rows); await workbook.xlsx.writeFile(`${out}/xlsx/exceljs.xlsx`);
const streamed = new ExcelJS.stream.xlsx.WorkbookWriter({ filename: `${out}/xlsx/exceljs-streamed.xlsx` }); const sheet = streamed.addWorksheet('Datos');
for (const row of rows) sheet.addRow(row).commit(); await streamed.commit();
const populated = await XlsxPopulate.fromBlankAsync(); populated.sheet(0).cell('A1').value(rows); await populated.toFileAsync(`${out}/xlsx/xlsx-populate.xlsx`);
const slides = new PptxGenJS(); slides.addSlide().addText('Una lámina', { x: 1, y: 1 }); await slides.writeFile({ fileName: `${out}/pptx/pptxgenjs.pptx` });
const chart = new PptxGenJS(); chart.addSlide().addChart(chart.ChartType.bar, [{ name: 'a', labels: ['x', 'y'], values: [1, 2] }], { x: 1, y: 1, w: 4, h: 3 });
await chart.writeFile({ fileName: `${out}/pptx/pptxgenjs-chart.pptx` });
for (const kind of ['pptx', 'xlsx']) {
  const made = officegen(kind);
  if (kind === 'pptx') made.makeNewSlide().addText('Una lámina'); else made.makeNewSheet().setCell('A1', 'uno');
  const file = createWriteStream(`${out}/${kind}/officegen.${kind}`); made.generate(file); await once(file, 'close');
}
writeFileSync(`${out}/csv/papaparse.csv`, Papa.unparse(rows));
writeFileSync(`${out}/csv/csv-stringify.csv`, stringify(rows, { delimiter: ';', bom: true }));
const made = createEvent({ title: 'Reunión', start: [2026, 1, 2, 9, 0], duration: { hours: 1 }, uid: '3@example.com' }); writeFileSync(`${out}/ics/ics.ics`, made.value);
const calendar = ical({ name: 'Citas' }); calendar.createEvent({ start: new Date(1e12), summary: 'Reunión', id: '4@example.com' }); writeFileSync(`${out}/ics/ical-generator.ics`, calendar.toString());
const todo = ical({ name: 'Dos' }); for (const id of ['5@example.com', '6@example.com']) todo.createEvent({ start: new Date(1e12), summary: 'Dos', id }); writeFileSync(`${out}/ics/ical-generator-two.ics`, todo.toString());
const card = vCardsJS(); card.firstName = 'Ana'; card.lastName = 'Núñez'; card.cellPhone = '600000000'; writeFileSync(`${out}/vcf/vcards-js.vcf`, card.getFormattedString());
card.version = '4.0'; writeFileSync(`${out}/vcf/vcards-js-4.vcf`, card.getFormattedString());
const gif = gifenc.GIFEncoder(); const data = new Uint8ClampedArray(16 * 16 * 4).map((_, i) => (i * 7) & 255); const palette = gifenc.quantize(data, 16);
gif.writeFrame(gifenc.applyPalette(data, palette), 16, 16, { palette }); gif.finish(); writeFileSync(`${out}/gif/gifenc.gif`, gif.bytes());
J
(cd "$JS_WRITERS" && node write.mjs "$out")

# --- from other projects: README.md has their licences
take() { git -C "$SOURCES/$1/repo" show "HEAD:$2" > "$out/$3"; }
if [ -n "${SOURCES:-}" ]; then
  type='sindresorhus+file-type' heif='bigcat88+pillow_heif' xlrd='python-excel+xlrd' pptx='scanny+python-pptx' music='Borewit+music-metadata'
  take $type fixture/fixture.gif gif/file-type.gif
  take $type fixture/fixture-mif1.heic heic/file-type-mif1.heic
  take $heif tests/images/heif/zPug_3.heic heic/pillow-heif.heic
  take $heif tests/images/heif_other/L_exif_xmp_iptc.heic heic/pillow-heif-metadata.heic
  take $heif tests/images/heif_other/arrow.heic heic/iphone.heic
  take $type fixture/fixture2.3gp 3gp/file-type.3gp
  take $type fixture/fixture.aif aiff/file-type-alaw.aif
  take $music test/samples/aiff/Pmiscck.aif aiff/afsp-chunks.aif
  take $type fixture/fixture.ogg ogg/file-type.ogg
  take $type fixture/fixture.oga ogg/file-type-oga.ogg
  take $music test/samples/ogg/audio.speex.ogg ogg/music-metadata-speex.ogg
  take $type fixture/fixture-adts-mpeg2.aac aac/file-type-mpeg2.aac
  take $type fixture/fixture-adts-mpeg4-2.aac aac/file-type-mpeg4.aac
  take $type fixture/fixture.m4a m4a/file-type.m4a
  take $music test/samples/mp4/pr-544.m4a m4a/music-metadata.m4a
  take $music test/samples/rating/testcase.m4a m4a/music-metadata-rating.m4a
  take $type fixture/fixture.amr amr/file-type.amr
  take $type fixture/fixture-office365.xlsx xlsx/excel-365.xlsx
  take $type fixture/fixture.xlsx xlsx/file-type.xlsx
  take $xlrd tests/samples/sample.xlsx xlsx/xlrd.xlsx
  take $type fixture/fixture.xls.cfb xls/file-type.xls
  take $xlrd tests/samples/Formate.xls xls/excel-xlrd.xls
  take $xlrd tests/samples/issue20.xls xls/xlrd-issue20.xls
  take $xlrd tests/samples/biff4_no_format_no_window2.xls xls/near-miss-biff4.xls
  take $type fixture/fixture-office365.pptx pptx/powerpoint-365.pptx
  take $pptx tests/test_files/minimal.pptx pptx/python-pptx-minimal.pptx
  take $pptx features/steps/test_files/shp-embedded-xlsx.xlsx xlsx/python-pptx-embedded.xlsx
  take $pptx features/steps/test_files/shp-embedded-pptx.pptx pptx/python-pptx-embedded.pptx
  take $type fixture/fixture.pptm pptx/near-miss-real.pptm
  take $type fixture/fixture.xlsm xlsx/near-miss-real.xlsm
  take $type fixture/fixture.xltx xlsx/near-miss-real.xltx
  take $type fixture/fixture.potx pptx/near-miss-real.potx
  take $type fixture/fixture.ppsx pptx/near-miss-real.ppsx
  take $type fixture/fixture.ppt.cfb ppt/file-type.ppt
  poi='apache+poi'
  for name in Single_Coloured_Page empty WithComments Password_Protected-hello; do take $poi "test-data/slideshow/$name.ppt" "ppt/poi-${name,,}.ppt"; done
  for name in BOOK_in_capitals testEXCEL_95 chinese-provinces 44958_1; do take $poi "test-data/spreadsheet/$name.xls" "xls/poi-${name,,}.xls"; done
  take $type fixture/fixture-password-protected.xls xlsx/near-miss-password.xlsx
  take $type fixture/fixture.odt odt/file-type.odt
  take $type fixture/fixture.vcf vcf/file-type.vcf
  take $type fixture/fixture.ics ics/file-type.ics
fi
find "$out" -type f -size 0 -delete
du -sb "$out"
