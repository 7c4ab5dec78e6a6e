// Command kouzui downloads, seeds, makes and checks torrents.
//
// Results and JSON go to stdout, progress and logs to stderr; exit.go lists the
// exit codes.
package main

import (
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// gcPercent trades memory for processor time: payload lives in pooled blocks,
// and what else the program holds is small.
const gcPercent = 20

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// collectAt sets when garbage is collected, unless the user has.
func collectAt(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// run is the whole program but for its process. A broken pipe reaches the
// writers as an error, so that a download can end in good order.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	collectAt(gcPercent)
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)

	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if err != nil && !brokenPipe(err) {
		complain(stderr, err)
	}
	return exitCode(err)
}

func newRoot() *cobra.Command {
	var version *bool
	root := &cobra.Command{
		Use:   "kouzui",
		Short: "A BitTorrent client in which every job is a supervised actor",
		Long: `Kouzui downloads and seeds torrents. Every job in it is an actor in one
supervision tree: a part that fails is restarted, and the rest goes on.

Every flag can also be set in the environment: KOUZUI_ and its name in capitals,
with _ for -. What is on the command line wins.`,
		Example: `  kouzui download debian.torrent
  kouzui create -o album.torrent --tracker http://127.0.0.1:6969/announce album/
  kouzui demo`,
		SilenceErrors: true,
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2,

		Args: noSuchCommand,
		RunE: func(c *cobra.Command, _ []string) error {
			if *version {
				return printVersion(c)
			}
			return c.Help()
		},
	}
	// Cobra's own flag would take its text from a template, and for the sake of
	// templates the linker keeps every method of every type: a fifth of the program.
	version = root.Flags().Bool("version", false, "print the version")
	root.SetFlagErrorFunc(flagError)
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error { return environment(c.Flags(), os.LookupEnv) }
	root.AddCommand(newDownload(), newSeed(), newCreate(), newInfo(), newVerify(), newSplit(), newTracker(), newDemo(), newTrace(), newLab(), newVersion())
	return root
}
