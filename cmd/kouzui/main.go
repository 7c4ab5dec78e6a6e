// Command kouzui downloads, seeds, makes and checks torrents.
//
// Each family of commands is a package beside this one; internal/ holds what
// they share. Results and JSON go to stdout, progress and logs to stderr.
// Package exit lists the exit codes.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"kouzui/cmd/kouzui/demo"
	"kouzui/cmd/kouzui/dht"
	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/version"
	"kouzui/cmd/kouzui/lab"
	"kouzui/cmd/kouzui/torrents"
	"kouzui/cmd/kouzui/trace"
	"kouzui/cmd/kouzui/tracker"
	"kouzui/cmd/kouzui/transfer"
)

// gcPercent is low, because the heap is small: payload is in pooled blocks,
// which the garbage collector does not have to scan.
const gcPercent = 20

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is the program without its process. A broken pipe reaches the writers as
// an error instead of a signal, so that a download can stop and save its state.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	command.CollectAt(gcPercent)
	broken := make(chan os.Signal, 1)
	if !signal.Ignored(syscall.SIGPIPE) {
		signal.Notify(broken, syscall.SIGPIPE)
	}
	defer signal.Stop(broken)

	results := output.NewResults(stdout)
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(results)
	root.SetErr(stderr)
	c, err := root.ExecuteC()
	if err != nil && !results.Begun() {
		transfer.Fail(c, args, results, err)
	}
	if lost := results.Err(); lost != nil && !exit.BrokenPipe(lost) {
		switch {
		case err == nil, exit.OfStdout(err, lost):
			err = exit.Unwritten(lost)
		default: // both are told; the command's own failure decides the code
			exit.Complain(stderr, exit.Unwritten(lost))
		}
	}
	if err != nil && !exit.BrokenPipe(err) {
		exit.Complain(stderr, err)
	}
	return exit.Code(err)
}

func newRoot() *cobra.Command {
	var version *bool
	root := &cobra.Command{
		Use:   "kouzui",
		Short: "A BitTorrent client in which every job is a supervised actor",
		Long: `Kouzui downloads and seeds torrents. Every job in it is an actor in one
supervision tree: an actor that fails is restarted, and the others go on.

Every flag can also be set in the environment: KOUZUI_MAX_PEERS=80 stands for
--max-peers 80. A flag on the command line wins.`,
		Example: `  kouzui download debian.torrent
  kouzui create -o album.torrent --tracker http://127.0.0.1:6969/announce album/
  kouzui demo`,
		SilenceErrors: true,
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2,

		Args: flags.NoSuchCommand,
		RunE: func(c *cobra.Command, _ []string) error {
			if *version {
				return printVersion(c)
			}
			return c.Help()
		},
	}
	// The version flag of cobra uses a template, and a program that uses templates
	// keeps every method of every type: it would be larger by a fifth.
	version = root.Flags().Bool("version", false, "print the version")
	root.SetFlagErrorFunc(flags.Error)
	root.SetUsageFunc(flags.Usage)
	root.PersistentPreRunE = func(c *cobra.Command, args []string) error {
		if err := flags.Environment(c.Flags(), os.LookupEnv); err != nil {
			return err
		}
		return flags.Paths(c.Flags(), args)
	}
	root.SetHelpCommand(newHelp())
	for _, family := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"Download and seed", []*cobra.Command{transfer.NewDownload(), transfer.NewSeed(), transfer.NewStream()}},
		{"Make and check torrents", []*cobra.Command{torrents.NewCreate(), torrents.NewInfo(), torrents.NewVerify(), torrents.NewSplit()}},
		{"Study the DHT", []*cobra.Command{dht.New()}},
		{"Run a tracker", []*cobra.Command{tracker.New()}},
		{"Watch the actors", []*cobra.Command{demo.New(), trace.New(), lab.New()}},
	} {
		root.AddGroup(&cobra.Group{ID: family.title, Title: family.title})
		for _, c := range family.commands {
			c.GroupID = family.title
		}
		root.AddCommand(family.commands...)
	}
	root.AddCommand(newVersion())
	cobra.EnableCommandSorting = false
	return root
}

// newHelp makes the command help. That of cobra succeeds for a command that
// does not exist.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Show the help of a command",
		Example: "  kouzui help download",
		RunE: func(c *cobra.Command, args []string) error {
			about, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return flags.NoSuchCommand(about, rest)
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  kouzui version",
		Args:    flags.Arguments(0, 0, "no arguments"),
		RunE:    func(c *cobra.Command, _ []string) error { return printVersion(c) },
	}
}

func printVersion(c *cobra.Command) error {
	_, err := fmt.Fprintln(c.OutOrStdout(), version.Line())
	return err
}
