#!/bin/sh
# Installs what the tests need beyond npm's packages: Chromium, for the tests of the page, and Redis, for those
# of several replicas. Without them those tests say that they were not run. Does nothing, quickly, where they are.
set -eu

missing=""
found=""
for browser in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
  if [ -z "$found" ] && [ -n "$browser" ] && command -v "$browser" >/dev/null 2>&1; then
    found="$browser"
    echo "Chromium is here: $(command -v "$browser")"
  fi
done
[ -n "$found" ] || missing="chromium"
if command -v redis-server >/dev/null 2>&1; then
  echo "Redis is here: $(command -v redis-server)"
else
  missing="$missing redis-server"
fi
[ -n "$missing" ] || exit 0

by_hand() {
  echo "Missing: $missing; and $1." >&2
  echo "Install by hand (a browser may be named with CHROMIUM=/path/to/chromium); their tests are not run without them." >&2
  exit 1
}

command -v apt-get >/dev/null 2>&1 || by_hand "this system has no apt-get"
[ "$(id -u)" -eq 0 ] || by_hand "installing takes root (sudo sh scripts/install-test-tools.sh)"

# Debian's package starts a server of its own; the tests start theirs, and a build machine has no use for another.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get update -q || by_hand "apt-get update failed"
# shellcheck disable=SC2086 # the names are words of their own
apt-get install -q -y --no-install-recommends $missing || by_hand "apt-get could not install it"
echo "Installed: $missing"
