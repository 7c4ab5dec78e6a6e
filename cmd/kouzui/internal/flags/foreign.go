package flags

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// foreign are flags of other programs and what they are called here: aria2,
// rqbit, webtorrent, transmission, mktorrent, wget and curl. Of several names
// the first that the command has is meant.
var foreign = map[string][]string{
	"allow-overwrite": {"force"}, "announce": {"tracker"}, "bt-hash-check-seed": {"check"}, "bt-max-open-files": {"max-connections"},
	"bt-force-encryption": {"encryption"}, "bt-max-peers": {"max-peers"}, "bt-min-crypto-level": {"encryption"}, "bt-require-crypto": {"encryption"}, "bt-seed-unverified": {"check"}, "bt-stop-timeout": {"stall-timeout"}, "bt-tracker": {"tracker"},
	"bt-tracker-interval": {"interval"}, "check-integrity": {"check"}, "console-log-level": {"verbose"}, "dht-bootstrap-nodes": {"dht-bootstrap"}, "dht-entry-point": {"dht-bootstrap"}, "directory-prefix": {"dir"}, "disable-dht": {"dht"},
	"disable-upnp-port-forward": {"no-port-mapping"}, "no-portmap": {"no-port-mapping"}, "disable-pex": {"no-pex"}, "enable-dht": {"dht"}, "encryption-preferred": {"encryption"}, "encryption-required": {"encryption"}, "encryption-tolerated": {"encryption"}, "no-dht": {"dht"},
	"download-dir": {"dir"}, "download-limit": {"max-download-limit"}, "downlimit": {"max-download-limit"}, "finish": {"on-complete"},
	"http-api-listen-addr": {"observe"}, "initial-peers": {"peer"}, "keep-seeding": {"seed"}, "limit-rate": {"max-download-limit"},
	"log-file": {"log"}, "log-level": {"verbose"}, "max-conns": {"max-peers"}, "max-overall-download-limit": {"max-download-limit"},
	"max-overall-upload-limit": {"max-upload-limit"}, "no-date": {"date"}, "on-bt-download-complete": {"on-complete"},
	"on-done": {"on-complete"}, "only-files": {"select"}, "select-file": {"select"}, "on-download-complete": {"on-complete"}, "out": {"dir", "output"}, "outfile": {"output"},
	"output": {"dir"}, "output-dir": {"dir"}, "output-document": {"dir"}, "output-folder": {"dir"}, "overwrite": {"force"},
	"peer-limit": {"max-peers"}, "piecesize": {"piece-length"}, "port": {"listen-port"}, "ratelimit-download": {"max-download-limit"},
	"ratelimit-upload": {"max-upload-limit"}, "seedratio": {"seed-ratio"}, "stop": {"timeout"}, "torrent-port": {"listen-port"},
	"trackers": {"tracker"}, "upload-limit": {"max-upload-limit"}, "uplimit": {"max-upload-limit"},
}

// foreignLetters are the same for flags of one letter.
var foreignLetters = map[string][]string{
	"a": {"tracker"}, "b": {"blocklist"}, "c": {"comment"}, "D": {"max-download-limit"}, "e": {"exclude"}, "l": {"piece-length", "log"},
	"n": {"name"}, "o": {"dir", "output"}, "O": {"dir", "output"}, "p": {"listen-port", "private"}, "P": {"dir"}, "r": {"source"}, "s": {"source", "piece-length"},
	"t": {"tracker"}, "u": {"max-upload-limit"}, "U": {"max-upload-limit"}, "V": {"check"}, "w": {"dir"}, "x": {"max-peers"},
}

// unneeded are flags of other programs for what has no flag here, with the
// reason.
var unneeded = map[string]string{
	"c":                        "No flag is needed: the same command goes on with a download.",
	"continue":                 "No flag is needed: the same command goes on with a download.",
	"daemon":                   "Kouzui does not run in the background by itself; a service manager or nohup can do that.",
	"daemonize":                "Kouzui does not run in the background by itself; a service manager or nohup can do that.",
	"dht-listen-port":          "The DHT uses the port of --listen-port, by UDP.",
	"disable-trackers":         "Trackers of a torrent are always asked.",
	"dry-run":                  "`kouzui info TORRENT` shows what is in a torrent.",
	"enable-rpc":               "There is no RPC; --json writes what happens, and --observe serves a page and metrics.",
	"exit-on-finish":           "No flag is needed: download ends when all torrents are complete.",
	"file-allocation":          "No flag is needed: files take room as they are written.",
	"i":                        "Give the torrents as arguments.",
	"input-file":               "Give the torrents as arguments.",
	"j":                        "No flag is needed: all torrents are downloaded at once.",
	"list":                     "`kouzui info TORRENT` lists the files of a torrent.",
	"max-concurrent-downloads": "No flag is needed: all torrents are downloaded at once.",
	"s":                        "No flag is needed: blocks come from all peers at once.",
	"S":                        "`kouzui info TORRENT` lists the files of a torrent.",
	"show-files":               "`kouzui info TORRENT` lists the files of a torrent.",
	"T":                        "Give the torrent as an argument.",
	"split":                    "No flag is needed: blocks come from all peers at once.",
	"torrent-file":             "Give the torrent as an argument.",
}

// known answers a flag that c does not have, if another program has it; else
// the answer is "". What c itself calls so comes first, and what other commands
// have last.
func known(c *cobra.Command, name string) string {
	names, dashes := foreign[name], "--"
	if len(name) == 1 {
		names, dashes = foreignLetters[name], "-"
	}
	for _, ours := range names {
		if f := c.Flags().Lookup(ours); f != nil {
			value, _ := pflag.UnquoteUsage(f)
			return strings.TrimRight(fmt.Sprintf("What other programs call %s%s is --%s %s", dashes, name, ours, value), " ") + " here."
		}
	}
	if why := unneeded[name]; why != "" {
		return why
	}
	for _, ours := range names {
		if others := commandsWith(c, ours); others != "" {
			return fmt.Sprintf("What other programs call %s%s is --%s of %s here.", dashes, name, ours, others)
		}
	}
	return ""
}
