package flags

import (
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/wire/metainfo"
)

// duration is a flag that takes a time in any unit up to weeks.
type duration struct{ d *time.Duration }

// String is "0" for the zero value, for which the help shows no default.
func (d duration) String() string {
	if d.d == nil || *d.d == 0 {
		return "0"
	}
	return d.d.String()
}

// Type implements pflag.Value.
func (duration) Type() string { return "duration" }

func (d duration) Set(s string) (err error) {
	*d.d, err = units.ParseDuration(s)
	return err
}

// Duration adds a flag that takes a time such as 90s, 15m, 2d or 1w.
func Duration(set *pflag.FlagSet, d *time.Duration, name string, preset time.Duration, usage string) {
	*d = preset
	set.Var(duration{d}, name, usage)
}

// number is a flag that takes a number of 0 or more.
type number struct{ n *float64 }

func (n number) String() string {
	if n.n == nil {
		return "0"
	}
	return strconv.FormatFloat(*n.n, 'g', -1, 64)
}

func (number) Type() string { return "float64" }

func (n number) Set(s string) error {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return errors.New("must be a number such as 2 or 1.5")
	}
	*n.n = v
	return nil
}

// Number adds a flag that takes a number.
func Number(set *pflag.FlagSet, n *float64, name, usage string) { set.Var(number{n}, name, usage) }

// plain is err with errors of the language put into words of the user.
func plain(err error) error {
	var invalid *pflag.InvalidValueError
	var number *strconv.NumError
	if !errors.As(err, &invalid) {
		return err
	}
	if !errors.As(err, &number) {
		value, why := fmt.Sprintf("%q", invalid.GetValue()), invalid.Unwrap().Error()
		return fmt.Errorf("--%s %s %s", invalid.GetFlag().Name, value, strings.TrimPrefix(why, value+" "))
	}
	why := "must be a whole number"
	switch {
	case invalid.GetFlag().Value.Type() == "bool":
		why = "must be true or false"
	case errors.Is(number.Err, strconv.ErrRange):
		why = "is too large a number"
	case strings.HasPrefix(invalid.GetFlag().Value.Type(), "uint"):
		why = "must be a whole number from 0 on"
	}
	return fmt.Errorf("--%s %q %s", invalid.GetFlag().Name, invalid.GetValue(), why)
}

// Paths makes all paths that a user gives fit, in arguments and in flags that
// name files, folders or torrents: ~ stands for the home of the user, as in a
// shell, which leaves '~/x', --dir=~/x and values of the environment as they
// are. A flag that is empty, as of a variable that is not set, is refused. The
// arguments are changed in place.
func Paths(set *pflag.FlagSet, args []string) error {
	for i := range args {
		path, err := expandHome(args[i])
		if err != nil {
			return exit.Usagef("", "%w", err)
		}
		args[i] = path
	}
	var failed error
	set.VisitAll(func(f *pflag.Flag) {
		kind, _ := pflag.UnquoteUsage(f)
		if failed != nil || !f.Changed || kind != "FILE" && kind != "FOLDER" && kind != "TORRENT" {
			return
		}
		failed = fitPaths(f, kind)
	})
	return failed
}

// fitPaths does so for a flag, which may be one that can be repeated.
func fitPaths(f *pflag.Flag, kind string) error {
	paths := []string{f.Value.String()}
	list, repeatable := f.Value.(pflag.SliceValue)
	if repeatable {
		paths = list.GetSlice()
	}
	for i, path := range paths {
		if path == "" {
			return exit.Usagef("", "--%s needs the path of a %s, and is empty", f.Name, strings.ToLower(kind))
		}
		fit, err := expandHome(path)
		if err != nil {
			return exit.Usagef("", "--%s: %w", f.Name, err)
		}
		paths[i] = fit
	}
	if repeatable {
		return list.Replace(paths)
	}
	return f.Value.Set(paths[0])
}

// expandHome puts the user's home in place of a ~ at the start.
func expandHome(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~")
	if !ok || rest != "" && !os.IsPathSeparator(rest[0]) {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("there is no home folder for ~ in %q; ./~ is a folder of that name", path)
	}
	return filepath.Join(home, rest), nil
}

// HostPort refuses a value of a flag that is no HOST:PORT. The host may be
// empty.
func HostPort(flag, value string) error {
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return exit.Usagef("", "--%s %q must be HOST:PORT, such as localhost:6969", flag, value)
	}
	return nil
}

// Tiers reads the values of --tracker: each is a tier of URLs that commas
// separate, with or without spaces.
func Tiers(values []string, schemes ...string) (tiers [][]string, err error) {
	for _, value := range values {
		var tier []string
		for _, text := range metainfo.SplitTrackers(value) {
			address, err := metainfo.TrackerURL(text)
			scheme, _, _ := strings.Cut(address, ":")
			if err != nil || !slices.Contains(schemes, scheme) {
				return nil, exit.Usagef("", "--tracker %q must be a URL of a tracker, such as http://tracker.example:6969/announce; it may begin with %s", text, oneOf(schemes))
			}
			tier = append(tier, address)
		}
		if len(tier) == 0 {
			return nil, exit.Usagef("", "--tracker %q names no tracker", value)
		}
		tiers = append(tiers, tier)
	}
	return tiers, nil
}

// AskedTiers is Tiers for trackers that are to be asked, see metainfo.CanAsk.
func AskedTiers(values []string) ([][]string, error) {
	return Tiers(values, "http", "https", "udp")
}

// WebSeeds reads the values of --web-seed, each a URL.
func WebSeeds(values []string) (urls []string, err error) {
	for _, text := range values {
		address, err := metainfo.WebSeedURL(text)
		if err != nil {
			return nil, exit.Usagef("", "--web-seed %q must be a URL of a server, such as http://mirror.example/pub/: %v", text, err)
		}
		urls = append(urls, address)
	}
	return urls, nil
}

func oneOf(schemes []string) string {
	var b strings.Builder
	for i, s := range schemes {
		switch {
		case i > 0 && i == len(schemes)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(s + "://")
	}
	return b.String()
}
