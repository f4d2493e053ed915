"""Those fixtures that are texts, or other files taken apart and put together again."""
import io
import struct
import sys
import zipfile
from pathlib import Path

out = Path(sys.argv[1])
WHEN = (2024, 1, 1, 0, 0, 0)


class Unseekable(io.RawIOBase):
    """Makes zipfile write data descriptors, as programs do that stream their archives."""

    def __init__(self, path):
        self.file = open(path, 'wb')

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)


def entries(path):
    with zipfile.ZipFile(path) as archive:
        return [(info.filename, archive.read(info)) for info in archive.infolist()]


def pack(name, parts, target=None, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(target or out / name, 'w', method) as archive:
        for part, data in parts:
            info = zipfile.ZipInfo(part, WHEN)
            info.compress_type = method
            archive.writestr(info, data)


docx = entries(out / 'document.docx')
pack('streamed.docx', docx, Unseekable(out / 'streamed.docx'))
pack('single-quotes.docx', [(n, d.replace(b'"', b"'") if n.endswith(('.xml', '.rels')) else d) for n, d in docx])
last = [part for part in docx if part[0] == '[Content_Types].xml']
pack('types-last.docx', [part for part in docx if part not in last] + last)
pack('embedded-sheet.docx', docx + [('word/embeddings/sheet.xlsx', (out / 'sheet.xlsx').read_bytes())])
pack('many-parts.docx', docx + [(f'word/media/part{i:04}.bin', b'') for i in range(900)])


MAIN = b'vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml'


def retyped(main):
    return [(n, d.replace(MAIN, main) if n == '[Content_Types].xml' else d) for n, d in docx]


vba = [('word/vbaProject.bin', (out / 'document.doc').read_bytes()[:1024])]
pack('macros.docm', retyped(b'vnd.ms-word.document.macroEnabled.main+xml') + vba)
pack('macros-by-name-only.docm', docx + vba)
pack('template.dotx', retyped(MAIN.replace(b'document.main', b'template.main')))
pack('empty.zip', [])
pack('meta-inf.jar', [('META-INF/MANIFEST.MF', b'Manifest-Version: 1.0\r\n\r\n'), ('a.txt', b'Some text.\n')])

SPANISH = 'Año nuevo, señal única: «¿qué tal?», dijo la cigüeña. Café, pingüino, corazón.\n'
texts: dict[str, bytes] = {
    'ascii.txt': 'Plain words, nothing else.\r\n'.encode(),
    'utf8.txt': (SPANISH * 80 + '日本語 🙂\n').encode(),
    'utf8-bom.txt': SPANISH.encode('utf-8-sig'),
    'utf16le.txt': ('\ufeff' + SPANISH + '🙂\n').encode('utf-16-le'),
    'utf16be.txt': ('\ufeff' + SPANISH + '🙂\n').encode('utf-16-be'),
    'latin1.txt': (SPANISH * 80).encode('latin-1'),
    'windows1252.txt': '“Quoted” — with 10 €…\n'.encode('cp1252'),
    'begins-bm.txt': b'BM is short for Boston Manor, and this is a text.\n',
    'begins-mz.txt': b'MZ are the initials of Mark Zbikowski.\n',
    'begins-gif.txt': b'GIF files are pronounced as you like.\n',
    'begins-id3.txt': b'ID3 is an algorithm, too, which makes decision trees.\n',
    'begins-mov.txt': b'The free software that this text is about.\n',
    'begins-riff.txt': b'RIFF and WAVE are words, RIFFS of WAVES.\n',
    'terminal-log.txt': b'\x1b[32mok\x1b[0m 12 passed\n',
    'data.csv.txt': b'name;count\nalpha;1\n',
    'data.json.txt': b'{"name": "alpha", "count": 1}\n',
    'data.xml.txt': b'<?xml version="1.0" encoding="UTF-8"?>\n<orders><order id="1"/></orders>\n',
    'readme.md.txt': b'<!-- generated -->\n# Title\n\nWords with `code` and <b>a tag</b>.\n',
    'control-bytes.bin': b'Looks like text\x00\x01\x02 but is not.\n',
    'late-nul.bin': b'Words to the end of the head and beyond.\n' * 200 + b'\x00 and on.\n',
    'utf16-without-bom.bin': SPANISH.encode('utf-16-le'),
    'cp437.txt': b'\x81\x8d\x8f\x90\x9d are letters in DOS, but not in windows-1252.\n',
    'cp850.txt': ('RAZÓN SOCIAL: ESPAÑA, CRÉDITO Nº 3, PINGÜINO\r\n' * 90).encode('cp850') + b'\x1a',
    'cp1250.txt': 'Ťažký deň, ťava, źdźbło, Źródło\r\n'.encode('cp1250'),
    'cp1251-ya.txt': 'явно: я знаю, что яркий день\r\n'.encode('cp1251'),
    'shift-jis.txt': 'これはテストです。漢字、カタカナ。ソフト\r\n'.encode('shift_jis'),
    'gbk.txt': '这是测试文件，镕囧瞭朙\r\n'.encode('gbk'),
    'big5.txt': '這是測試檔案，繁體中文\r\n'.encode('big5'),
    'euc-kr.txt': '이것은 시험입니다 똠방각하\r\n'.encode('cp949'),
    'web-archive.mht': b'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="x"\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n<html><p>Words.</html>\r\n--x--\r\n',
    'word-2003.xml': b'<?xml version="1.0"?>\r\n<?mso-application progid="Word.Document"?>\r\n<w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml"><w:body/></w:wordDocument>\r\n',
    'owner-file.docx.bin': b'\x05Maria'.ljust(54) + b'\x05\0' + 'Maria'.encode('utf-16-le').ljust(106, b'\0'),
    'drawing.svg': b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>\n',
    'drawing-declared.svg': b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- a > b -->\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd" [ <!ENTITY a "b>"> ]>\n<svg:svg xmlns:svg="http://www.w3.org/2000/svg"/>\n',
    'drawing-utf16.svg': '\ufeff<svg xmlns="http://www.w3.org/2000/svg"/>\n'.encode('utf-16-le'),
    'page.html': b'\n <!doctype HTML>\n<title>x</title><script>alert(1)</script>\n',
    'page-comment.html': b'<!-- saved -->\n<HTML><body onload=alert(1)></HTML>\n',
    'page.xhtml': b'<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>\n',
    'script.html': b'<script>alert(1)</script>\n',
    'bom.pdf': b'\xef\xbb\xbf%PDF-1.4\n%%EOF\n',
    'lines-before.pdf': b'\r\n\t\t \r\n' + (out / 'ghostscript.pdf').read_bytes(),
    'contact.vcf': b'BEGIN:VCARD\r\nVERSION:3.0\r\nN:Doe;Jane;;;\r\nFN:Jane Doe\r\nTEL;TYPE=CELL:+1 555 0100\r\nEND:VCARD\r\n',
    'contact-bom-lower.vcf': b'\xef\xbb\xbfbegin:vcard\nversion:4.0\nfn:Jane Doe\nend:vcard\n',
    'contact-utf16.vcf': '\ufeffBEGIN:VCARD\r\nVERSION:2.1\r\nN:Ñandú;Ana\r\nEND:VCARD\r\n'.encode('utf-16-le'),
    'calendar.ics': b'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n',
    'start-only.jpg.bin': b'\xff\xd8\xff',
}

# A 64-bit Mach-O header (mach-o/loader.h) for an executable, with one empty __TEXT segment.
segment = struct.pack('<II16sQQQQIIII', 0x19, 72, b'__TEXT', 1 << 32, 4096, 0, 4096, 5, 5, 0, 0)
texts['program.macho'] = struct.pack('<8I', 0xFEEDFACF, 0x01000007, 3, 2, 1, len(segment), 0, 0) + segment

wave = (out / 'tone.wav').read_bytes()
texts['rifx.wav'] = b'RIFX' + wave[7:3:-1] + wave[8:]
bare = (out / 'bare.mp3').read_bytes()
texts['cut-within-frame.mp3'] = bare[60:]

archive = (out / 'archive.zip').read_bytes()
texts['line-feed-behind.zip'] = archive + b'\n'
texts['padded-to-a-block.zip'] = archive + bytes(-len(archive) % 512)
texts['line-feed-behind.docx'] = (out / 'document.docx').read_bytes() + b'\r\n'
texts['self-extracting.exe'] = (out / 'program.exe').read_bytes() + archive
# As `zip -s` splits: a marker before the first part, the number of the disk in the end record of the last.
texts['split-first.z01'] = b'PK\x07\x08' + archive[:200]
texts['split-last.zip'] = archive[:-18] + struct.pack('<HH', 1, 1) + archive[-14:]


def spaced(parts, padding, method=zipfile.ZIP_DEFLATED):
    """An archive with padding between its entries, and a directory that knows it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, 'w') as package:
        for part, data in parts:
            package.writestr(zipfile.ZipInfo(part, WHEN), data, method)
            target.write(padding)
            package.start_dir = target.tell()
    return target.getvalue()


texts['padding-between-entries.docx'] = spaced(docx, bytes(10))
texts['mp3-stored.zip'] = spaced([('a.mp3', bare)], b'', zipfile.ZIP_STORED)

for name, data in texts.items():
    (out / name).write_bytes(data)
