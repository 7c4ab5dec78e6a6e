package lab

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"kouzui/actors/runtime/remote"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
)

func newCertificates() *cobra.Command {
	return &cobra.Command{
		Use:   "certificates FOLDER",
		Short: "Make the certificates of a sweep and its workers",
		Long: `Make a folder with two files: coordinator.pem for the machine of the sweep, and
worker.pem, which is copied to those of the workers. Each has a certificate, its
key, and the certificate of an authority whose key is not kept. Who has
worker.pem can join the sweep, and say what has come out of runs. The
certificates are good for 90 days.`,
		Example: `  kouzui lab certificates lab-tls
  scp lab-tls/worker.pem node2:lab-tls/`,
		Args: flags.Arguments(1, 1, "one folder"),
		RunE: func(_ *cobra.Command, args []string) error { return makeCertificates(args[0]) },
	}
}

// makeCertificates writes nothing over: certificates that are in use would no
// longer fit to those that were copied.
func makeCertificates(folder string) error {
	coordinator, worker, err := remote.NewIdentities(time.Now())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return exit.With(exit.Mkdir, err)
	}
	for _, f := range []struct {
		role remote.Role
		text []byte
	}{{remote.Coordinator, coordinator}, {remote.Worker, worker}} {
		path := filepath.Join(folder, remote.IdentityFile(f.role))
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return &fs.PathError{Op: "create", Path: path, Err: errors.Unwrap(err)}
		}
		_, err = file.Write(f.text)
		if closed := file.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return err
		}
	}
	return nil
}
