#!/bin/sh
# Installs what the tests need beyond npm's packages: Chromium and Firefox, for the tests in browsers; Redis, for those of
# several replicas; reverse proxies; HTTP clients in other languages; what builds an image and Kubernetes objects. Without a program its tests say that they were
# not run. Does nothing, quickly, where everything is there.
set -eu

# Debian keeps its servers in sbin, which an ordinary user's PATH leaves out.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

missing=""

# Says where the first of the commands in $3… is; else notes that Debian's package $2 is needed for $1.
need() {
  what=$1 package=$2
  shift 2
  for name in "$@"; do
    if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1; then
      echo "$what is here: $(command -v "$name")"
      return
    fi
  done
  missing="$missing $package"
}

need Chromium chromium "${CHROMIUM:-}" chromium chromium-browser google-chrome
need Firefox firefox-esr "${FIREFOX:-}" firefox-esr firefox
need Redis redis-server redis-server
need curl curl curl
need openssl openssl openssl
need tinyproxy tinyproxy tinyproxy
need nginx nginx nginx
need HAProxy haproxy haproxy
need Caddy caddy caddy
need Apache apache2 apache2
need Go golang-go go
need Prometheus prometheus prometheus
need Buildah buildah buildah
need bubblewrap bubblewrap bwrap
need mmdebstrap mmdebstrap mmdebstrap
need kubectl kubernetes-client kubectl
need Python python3 python3
python3 -c 'import requests' 2>/dev/null || /usr/bin/python3 -c 'import requests' 2>/dev/null || missing="$missing python3-requests"
[ -n "$missing" ] || exit 0

by_hand() {
  echo "Missing:$missing; and $1." >&2
  echo "Install by hand (browsers may be named with CHROMIUM=/path and FIREFOX=/path); their tests are not run without them." >&2
  exit 1
}

command -v apt-get >/dev/null 2>&1 || by_hand "this system has no apt-get"
[ "$(id -u)" -eq 0 ] || by_hand "installing takes root (sudo sh scripts/install-test-tools.sh)"

# Debian's package starts a server of its own; the tests start theirs, and a build machine has no use for another.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get update -q || by_hand "apt-get update failed"
# shellcheck disable=SC2086 # the names are words of their own
apt-get install -q -y --no-install-recommends $missing || by_hand "apt-get could not install it"
echo "Installed:$missing"
