# Read by the scripts of this folder: apt without touching the system's configuration, and without root.
#
# The package lists come from the machine's own apt sources, turned into what is wanted in a private apt configuration, so whatever mirror the
# machine uses is used here, and no host is named. What is fetched is pinned by its SHA-256 where it is used: the same whoever delivered it.

# source_list TYPE CODENAME: lines for the main component of the Debian release CODENAME, of TYPE deb or deb-src, from both formats of apt's source lists
source_list() {
	machine=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -f "$file" ] || continue
		awk -v machine="$machine" -v type="$1" -v codename="$2" '
			$1 == "deb" || $1 == "deb-src" {
				i = 2; options = ""
				if ($2 ~ /^\[/) { do { options = options " " $i } while ($(i++) !~ /\]$/ && i <= NF) }
				sub(/arch=[^] ]*/, "", options)
				if ($(i + 1) == machine && $(i + 2) == "main") print type options, $i, codename, "main"
			}' "$file"
	done
	for file in /etc/apt/sources.list.d/*.sources; do
		[ -f "$file" ] || continue
		awk -v machine="$machine" -v type="$1" -v codename="$2" '
			function flush(    n, word, i) {
				n = split(suites, word, " ")
				for (i = 1; i <= n; i++)
					if (word[i] == machine && (" " components " ") ~ / main /)
						print type (signed != "" ? " [signed-by=" signed "]" : ""), uri, codename, "main"
				suites = components = uri = signed = ""
			}
			/^#/ { next }
			/^[ \t]*$/ { flush(); next }
			tolower($1) == "suites:" { $1 = ""; suites = $0 }
			tolower($1) == "components:" { $1 = ""; components = $0 }
			tolower($1) == "uris:" { uri = $2 }
			tolower($1) == "signed-by:" && $2 ~ /^\// { signed = $2 }
			END { flush() }' "$file"
	done | sort -u
}

# private_apt FOLDER TYPE CODENAME: makes a configuration there, sets $options for apt-get. 1: the machine has no Debian source.
private_apt() {
	mkdir -p "$1/lists/partial" "$1/archives/partial"
	source_list "$2" "$3" >"$1/sources.list"
	[ -s "$1/sources.list" ] || return 1
	options="-o Dir::Etc::sourcelist=$1/sources.list -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists=$1/lists
		-o Dir::Cache=$1 -o Dir::Cache::archives=archives -o APT::Sandbox::User= -o Acquire::Languages=none -o Debug::NoLocking=1
		-o Acquire::IndexTargets::deb-src::Contents-dsc::DefaultEnabled=false -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false"
}

# checked SUM FILE
checked() {
	[ -f "$2" ] && echo "$1  $2" | sha256sum -c - >/dev/null 2>&1
}
