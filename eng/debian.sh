# shellcheck shell=bash
# For the scripts here that fetch from Debian, with the mirror that this machine's own apt uses, and state of their own:
# nothing is configured in /etc, no architecture is added.

peers=${GODWIT_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/godwit}
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}") || codename=
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
scratch=
output=
mirror=
security=
suites=()
# Of the sources that apt is set up with: packages (deb) or what they are made from (deb-src).
source_type=deb

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# One run at a time, with a scratch folder beside the results, so that what is complete can be moved there at once.
begin() {
  mkdir -p "$peers" || fail "can't create $peers"
  exec 9>"$peers/.lock"
  flock 9
  rm -rf "$peers"/.scratch.*
  scratch=$(mktemp -d "$peers/.scratch.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
}

# attempt COMMAND...: quiet; `complaint` then tells what it said last.
attempt() {
  output=$("$@" 2>&1 </dev/null)
}

complaint() {
  grep -m 1 '^E: ' <<<"$output" || tail -n 1 <<<"$output"
}

has_suite() {
  rm -f "$scratch/InRelease"
  attempt /usr/lib/apt/apt-helper -o APT::Sandbox::User=root -o Acquire::http::Timeout=20 -o Acquire::Retries=2 \
    download-file "$1/dists/$2/InRelease" "$scratch/InRelease" && grep -q '^Origin: Debian' "$scratch/InRelease"
}

find_mirror() {
  local uri sources
  command -v apt-get >/dev/null || fail "needs a Debian system: there is no apt-get"
  [[ -n $codename ]] || fail "can't tell which Debian suite this is: no VERSION_CODENAME in /etc/os-release"
  mkdir -p "$scratch/none/partial"
  sources=$(apt-get -o Dir::State::Lists="$scratch/none" -o Debug::NoLocking=1 update --print-uris 2>/dev/null) || sources=
  security=$(sed -n "s|^'\(.*\)/dists/$codename-security/InRelease'.*|\1|p" <<<"$sources" | head -n 1)
  while read -r uri; do
    if has_suite "$uri" "$codename" && grep -q '^Label: Debian$' "$scratch/InRelease"; then
      mirror=$uri
      return
    fi
  done < <(sed -n "s|^'\(.*\)/dists/${codename}[^/]*/InRelease'.*|\1|p" <<<"$sources" | awk '!seen[$0]++')
  fail "none of the sources of this machine's apt serves Debian's $codename${output:+: $(complaint)}"
}

# find_suites SUFFIX...: sets `suites` to the running suite and those of its complements that the mirror has.
find_suites() {
  local suffix
  suites=("$codename")
  for suffix in "$@"; do
    ! has_suite "$mirror" "$codename-$suffix" || suites+=("$codename-$suffix")
  done
  [[ -z $security ]] || suites+=("$codename-security")
}

# prepare_apt NAME ARCHITECTURE SUITE...: sets `apt` to an apt-get that knows these suites only, and nothing installed.
prepare_apt() {
  try_apt "$@" || fail "can't read Debian's ${*:3} from $mirror: $(complaint)"
}

# install_here [OPTION...] install PACKAGE...: with `apt`, into this system itself.
install_here() {
  local status=(-o Dir::State::status=/var/lib/dpkg/status -o Dir::State::extended_states=/var/lib/apt/extended_states)
  attempt env DEBIAN_FRONTEND=noninteractive "${apt[@]}" "${status[@]}" -o Debug::NoLocking=0 -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Use-Pty=0 "$@"
}

# try_apt NAME ARCHITECTURE SUITE...: the same; fails quietly where the mirror hasn't got them whole.
try_apt() {
  local state=$scratch/apt-$1 architecture=$2 suite trust uri index=Packages
  shift 2
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
  touch "$state/status"
  archives=$state/cache/archives
  apt=(apt-get -qq -y
    -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
    -o Dir::State::Lists="$state/lists" -o Dir::State::status="$state/status" -o Dir::State::extended_states="$state/extended"
    -o Dir::Cache="$state/cache" -o Dir::Cache::archives="$archives"
    -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" -o APT::Install-Recommends=false
    -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o Acquire::Languages=none -o Acquire::Retries=3)
  [[ $source_type == deb ]] || index=Sources
  # An older system may lack the key of a newer suite.
  for trust in "signed-by=$keyring" trusted=yes; do
    for suite in "$@"; do
      uri=$mirror
      [[ $suite != *-security ]] || uri=$security
      echo "$source_type [arch=$architecture target=$index $trust] $uri $suite main"
    done >"$state/sources.list"
    if attempt "${apt[@]}" update; then
      return
    fi
    grep -q -E 'NO_PUBKEY|EXPKEYSIG|is not signed|not readable' <<<"$output" || break
  done
  return 1
}
