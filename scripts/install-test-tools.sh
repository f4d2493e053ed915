#!/bin/sh
# Installs what the tests need beyond npm's packages: Chromium, for the tests of the page.
# Without it those tests say that they were not run. Does nothing, quickly, where it is there already.
set -eu

for browser in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
  if [ -n "$browser" ] && command -v "$browser" >/dev/null 2>&1; then
    echo "Chromium is here: $(command -v "$browser")"
    exit 0
  fi
done

by_hand() {
  echo "Chromium is missing and $1." >&2
  echo "Install it by hand, or name one with CHROMIUM=/path/to/chromium; the tests of the page are not run without it." >&2
  exit 1
}

command -v apt-get >/dev/null 2>&1 || by_hand "this system has no apt-get"
[ "$(id -u)" -eq 0 ] || by_hand "installing it takes root (sudo sh scripts/install-test-tools.sh)"

export DEBIAN_FRONTEND=noninteractive
apt-get update -q || by_hand "apt-get update failed"
apt-get install -q -y --no-install-recommends chromium || by_hand "apt-get could not install it"
echo "Chromium is installed: $(command -v chromium)"
