#!/usr/bin/env bash
# Makes the files under test/fixtures/types again, as far as tools can make them; README.md there names the rest.
# Needs (Debian): ffmpeg imagemagick ghostscript sox lame zip p7zip-full libheif-examples wixl default-jdk-headless
#   gcc gcc-mingw-w64-x86-64 libreoffice-writer libreoffice-calc libreoffice-impress python3
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
out="$(dirname "$here")/test/fixtures/types"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
cd "$work"
export SOURCE_DATE_EPOCH=1700000000
ff() { ffmpeg -hide_banner -loglevel error -nostdin -y "$@" -map_metadata -1 -fflags +bitexact; }

# --- pictures
convert -size 96x64 plasma:seagreen-orange -strip picture.png
convert picture.png -strip -quality 70 "$out/picture.jpg"
convert picture.png -strip -interlace JPEG -quality 70 "$out/progressive.jpeg"
convert -size 32x24 gradient:red-blue -strip "$out/picture.png"
convert -size 32x24 gradient:red-blue -strip "$out/picture.gif"
convert -size 32x24 gradient:red-blue -strip BMP3:"$out/picture.bmp"
convert -size 32x24 gradient:red-blue -strip "$out/picture.tiff"
convert -size 32x24 gradient:red-blue -strip "$out/picture.webp"
convert -size 16x16 gradient:red-blue -strip "$out/icon.ico"
heif-enc -q 40 -o "$out/picture.heic" picture.png >/dev/null
ff -i picture.png -c:v libaom-av1 -still-picture 1 -crf 50 -pix_fmt yuv420p "$out/picture.avif"
pic=(-f lavfi -i "testsrc=size=64x48:rate=10:duration=1")
ff "${pic[@]}" -frames:v 1 -c:v jpeg2000 "$out/picture.jp2"
ff "${pic[@]}" -frames:v 1 -c:v libjxl "$out/picture.jxl"
ff "${pic[@]}" -frames:v 3 -plays 0 -f apng "$out/animated.png"

# --- video
tone=(-f lavfi -i "sine=frequency=440:duration=1")
h264=(-c:v libx264 -preset veryslow -crf 40 -pix_fmt yuv420p -c:a aac -b:a 16k)
ff "${pic[@]}" "${tone[@]}" "${h264[@]}" "$out/moov-last.mp4"
ff "${pic[@]}" "${tone[@]}" "${h264[@]}" -movflags +faststart "$out/moov-first.mp4"
ff "${pic[@]}" "${tone[@]}" "${h264[@]}" -movflags +frag_keyframe+empty_moov+default_base_moof "$out/fragmented.mp4"
ff "${pic[@]}" "${tone[@]}" "${h264[@]}" -brand mp42 "$out/brand-mp42.mp4"
ff "${pic[@]}" "${tone[@]}" "${h264[@]}" -f mov "$out/movie.mov"
ff "${pic[@]}" "${tone[@]}" "${h264[@]}" -f 3gp "$out/phone.3gp"
ff "${pic[@]}" "${tone[@]}" "${h264[@]}" -f mpegts "$out/transport.ts"
ff "${pic[@]}" "${tone[@]}" "${h264[@]}" -f matroska "$out/video.mkv"
ff "${pic[@]}" -c:v libvpx -b:v 30k "$out/video.webm"
ff "${pic[@]}" -c:v mpeg4 -q:v 20 "$out/video.avi"
ff "${pic[@]}" -c:v wmv2 -q:v 20 "$out/video.wmv"
ff "${pic[@]}" -c:v flv -q:v 20 "$out/video.flv"
ff "${pic[@]}" "${tone[@]}" "${h264[@]}" -f ipod "$out/film.m4v"
mpeg=(-r 25 -q:v 20 -c:a mp2 -b:a 32k -ar 44100)
ff "${pic[@]}" "${tone[@]}" -c:v mpeg1video "${mpeg[@]}" -f mpeg "$out/program-mpeg1.mpg"
ff "${pic[@]}" "${tone[@]}" -c:v mpeg2video "${mpeg[@]}" -f vob "$out/program-mpeg2.mpg"
ff "${pic[@]}" -c:v mpeg1video -r 25 -q:v 20 -f mpeg1video "$out/elementary-mpeg1.mpeg"
ff "${pic[@]}" -c:v mpeg2video -r 25 -q:v 20 -f mpeg2video "$out/elementary-mpeg2.mpeg"

# --- sound
sox -n -r 8000 -b 16 -c 1 tone.wav synth 0.5 sine 440
ff -i tone.wav "$out/tone.wav"
ff -i tone.wav -rf64 always "$out/rf64.wav"
ff -i tone.wav "$out/tone.aiff"
ff -i tone.wav "$out/tone.flac"
ff -i tone.wav -c:a libvorbis "$out/tone.ogg"
ff -i tone.wav -c:a aac -b:a 16k "$out/tone.m4a"
ff -i tone.wav -c:a aac -b:a 16k -f adts "$out/tone.aac"
ff -i tone.wav -c:a mp2 -ar 44100 -b:a 32k "$out/tone.mp2"
ff -i tone.wav -c:a wmav2 -b:a 24k -ar 22050 "$out/tone.wma"
ff -i tone.wav -c:a libopus -b:a 8k -f ogg "$out/voice.opus"
ff -i tone.wav "$out/tone.au"
ff -i tone.wav -t 0.1 -f caf "$out/tone.caf"
ff -i tone.wav -t 0.1 -f w64 "$out/tone.w64"
ff -i tone.wav -c:a wavpack "$out/tone.wv"
mp3=(-c:a libmp3lame -b:a 32k -ar 44100)
ff -i tone.wav "${mp3[@]}" -f wav "$out/mp3-inside.wav"
ff -i tone.wav "${mp3[@]}" -f matroska "$out/mp3-inside.mka"
ff -i tone.wav "${mp3[@]}" -f mov "$out/mp3-inside.mov"
lame --quiet -t -b 32 --resample 44.1 tone.wav "$out/bare.mp3"
lame --quiet -V 9 --resample 8 tone.wav "$out/mpeg25-vbr.mp3"
lame --quiet -b 32 --resample 44.1 --id3v2-only --tt "A title" --ta "Nobody" tone.wav "$out/id3v2.mp3"
lame --quiet -b 32 --resample 44.1 --id3v1-only --tt "A title" tone.wav "$out/id3v1.mp3"
convert -size 420x420 xc:gray +noise Random -quality 80 -strip cover.jpg # about 100 KiB of cover art
lame --quiet -b 32 --resample 44.1 --id3v2-only --ti cover.jpg tone.wav "$out/cover-art.mp3"

# --- documents
cat > page.html <<'X'
<html><body><h1>Minutes</h1><p>The meeting began at nine. Nobody was late; everybody said so.</p>
<table><tr><td>one</td><td>two</td></tr></table></body></html>
X
printf 'name,count\nalpha,1\nbeta,2\n' > sheet.csv
lo() { soffice -env:UserInstallation=file://"$work"/profile --headless "$@" >/dev/null 2>&1; }
lo --infilter="HTML (StarWriter)" --convert-to odt page.html
for kind in "doc:MS Word 97" "docx:MS Word 2007 XML" "rtf:Rich Text Format" "pdf:writer_pdf_Export" "epub:EPUB"; do
  lo --convert-to "$kind" page.odt
done
lo --convert-to xls:"MS Excel 97" sheet.csv
lo --convert-to xlsx:"Calc MS Excel 2007 XML" sheet.csv
lo --convert-to ods sheet.csv
python3 - <<'X'
slide = '''<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" office:version="1.2"
 office:mimetype="application/vnd.oasis.opendocument.presentation"><office:body><office:presentation>
 <draw:page draw:name="one"><draw:frame svg:width="9cm" svg:height="2cm" svg:x="1cm" svg:y="1cm"><draw:text-box>
 <text:p>A slide</text:p></draw:text-box></draw:frame></draw:page></office:presentation></office:body></office:document>'''
open('slides.fodp', 'w').write(slide)
X
lo --convert-to pptx:"Impress MS PowerPoint 2007 XML" slides.fodp
for ext in doc docx rtf odt; do mv page.$ext "$out/document.$ext"; done
[ -f page.epub ] && mv page.epub "$out/book.epub"
mv page.pdf "$out/writer.pdf"
mv sheet.xls sheet.xlsx sheet.ods slides.pptx "$out"
printf '%%!PS-Adobe-3.0\n%%%%BoundingBox: 0 0 99 99\n9 9 moveto 80 80 lineto stroke showpage\n%%%%EOF\n' > "$out/page.ps"
gs -q -dBATCH -dNOPAUSE -dSAFER -sDEVICE=pdfwrite -o "$out/ghostscript.pdf" "$out/page.ps"

# --- programs
printf 'int start(void) { return 0; }\n' > main.c
gcc -Os -s -static -nostdlib -Wl,-e,start,--build-id=none -Wl,-z,noseparate-code -o "$out/program.elf" main.c
x86_64-w64-mingw32-gcc -Os -s -nostdlib -Wl,-e,start -o "$out/program.exe" main.c
printf 'class Main { public static void main(String[] a) { System.out.println("hello"); } }\n' > Main.java
javac -g:none --release 11 Main.java
jar cfe "$out/program.jar" Main Main.class
mv Main.class "$out/Main.class"
cat > package.wxs <<'X'
<?xml version="1.0"?><Wix xmlns="http://schemas.microsoft.com/wix/2006/wi"><Product Id="*" Name="Nothing" Language="1033"
 Version="1.0.0" Manufacturer="Nobody" UpgradeCode="c0a1d0d0-0000-4000-8000-000000000001"><Package/><Media Id="1" Cabinet="a.cab" EmbedCab="yes"/>
 <Directory Id="TARGETDIR" Name="SourceDir"><Component Id="c" Guid="c0a1d0d0-0000-4000-8000-000000000002"><File Id="f" Source="sheet.csv"/></Component></Directory>
 <Feature Id="all" Level="1"><ComponentRef Id="c"/></Feature></Product></Wix>
X
wixl -o "$out/installer.msi" package.wxs

# --- archives
head -c 90000 /dev/zero | openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv 00 -nosalt 2>/dev/null > noise.bin
printf 'Some text.\n' > a.txt; cp a.txt b.txt
zip -qX "$out/archive.zip" a.txt b.txt
zip -qX0 "$out/larger-than-tail.zip" noise.bin a.txt
cp "$out/archive.zip" commented.zip; printf 'A comment of the archive.\n.\n' | zip -qz commented.zip; mv commented.zip "$out"
zip -qX - - < a.txt > "$out/streamed.zip" # data descriptor
zip -qX -fz - - < a.txt > "$out/zip64.zip" # ZIP64 end records
head -c 150 "$out/archive.zip" > "$out/truncated.zip"
{ cat "$out/archive.zip"; printf 'rubbish'; } > "$out/garbage-behind.zip"
tar --owner=0 --group=0 --mtime=@1700000000 -cf "$out/archive.tar" a.txt b.txt
gzip -nc a.txt > "$out/a.txt.gz"; bzip2 -c a.txt > "$out/a.txt.bz2"; xz -c a.txt > "$out/a.txt.xz"
rm -f "$out/archive.7z"; 7z a -bd "$out/archive.7z" a.txt >/dev/null
ar rcD "$out/library.a" a.txt

python3 "$here/make-type-fixtures.py" "$out"
ls -l "$out" | awk '{ total += $5 } END { print total " bytes in " NR - 1 " files" }'
