//go:build linux

package interop

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/internal/shaped"
	"kouzui/wire/metainfo"
)

// The router of these tests has a public address, as miniupnpd wants it.
// Nothing leaves the network that is made.
const (
	routerInside, seedInside     = "10.99.10.1", "10.99.10.2"
	routerOutside, otherInternet = "198.100.1.1", "198.100.1.2"
)

// routerRules translate addresses and let nobody in, but for whom miniupnpd
// adds a rule.
const routerRules = `table inet miniupnpd {
	chain miniupnpd { }
	chain prerouting_miniupnpd { }
	chain postrouting_miniupnpd { }
	chain forward {
		type filter hook forward priority 0; policy drop;
		ct state established,related accept
		iifname "dn" accept
		jump miniupnpd
	}
	chain prerouting {
		type nat hook prerouting priority -100;
		jump prerouting_miniupnpd
	}
	chain postrouting {
		type nat hook postrouting priority 100;
		jump postrouting_miniupnpd
		oifname "ext" masquerade
	}
}
`

// TestPortMapping: a seed behind a router of miniupnpd is reached from outside,
// by each way to ask that router, and by none when the seed has ended.
func TestPortMapping(t *testing.T) {
	installed(t, func() (string, error) {
		if os.Geteuid() != 0 {
			return "", fmt.Errorf("only root can make a network")
		}
		for _, needed := range []string{"miniupnpd", "nft", "ip", "sysctl"} {
			if _, err := exec.LookPath(needed); err != nil {
				return "", err
			}
		}
		return "", nil
	})
	for name, c := range map[string]struct{ pmp, upnp, ready string }{
		"NAT-PMP and PCP": {"yes", "no", "Listening for NAT-PMP/PCP traffic"},
		"UPnP":            {"no", "yes", "HTTP listening on port"},
	} {
		t.Run(name, func(t *testing.T) { reachedThroughRouter(t, c.pmp, c.upnp, c.ready) })
	}
}

func reachedThroughRouter(t *testing.T, pmp, upnp, ready string) {
	if err := shaped.EnterThread(); err != nil { // the subtest keeps its thread
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), transferTimeout)
	defer cancel()
	dir := t.TempDir()
	does := func(stdin, command string) string {
		t.Helper()
		words := strings.Fields(command)
		c := exec.CommandContext(ctx, words[0], words[1:]...)
		c.Stdin, c.Dir = strings.NewReader(stdin), dir
		said, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", command, err, said)
		}
		return string(said)
	}
	for _, command := range []string{
		"ip link set lo up", "ip netns add inside", "ip netns add outside",
		"ip link add dn type veth peer name eth0 netns inside", "ip link add ext type veth peer name eth0 netns outside",
		"ip addr add " + routerInside + "/24 dev dn", "ip link set dn up multicast on", "ip addr add " + routerOutside + "/24 dev ext", "ip link set ext up",
		"ip route add 224.0.0.0/4 dev dn", "sysctl -q -w net.ipv4.ip_forward=1",
		"ip -n inside link set lo up", "ip -n inside link set eth0 up", "ip -n inside addr add " + seedInside + "/24 dev eth0", "ip -n inside route add default via " + routerInside,
		"ip -n outside link set lo up", "ip -n outside link set eth0 up", "ip -n outside addr add " + otherInternet + "/24 dev eth0",
	} {
		does("", command)
	}
	does(routerRules, "nft -f -")
	config := strings.Join([]string{
		"ext_ifname=ext", "ext_ip=" + routerOutside, "listening_ip=dn", "port=5555", "enable_natpmp=" + pmp, "enable_upnp=" + upnp,
		"uuid=7b2c9b0e-0000-4000-8000-000000000001", "upnp_table_name=miniupnpd", "upnp_nat_table_name=miniupnpd",
		"lease_file=" + filepath.Join(dir, "leases"), "allow 1024-65535 10.99.10.0/24 1024-65535", "deny 0-65535 0.0.0.0/0 0-65535", "",
	}, "\n")
	if err := os.WriteFile(filepath.Join(dir, "miniupnpd.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	content, err := noise.New(dir, "mapped", 64<<10, []metainfo.FileSpec{{Length: 1 << 20}}, "http://"+otherInternet+":8000/announce")
	if err != nil {
		t.Fatal(err)
	}
	says(t, ctx, ready, "miniupnpd", "-d", "-f", filepath.Join(dir, "miniupnpd.conf"))
	says(t, ctx, "http://", "ip", "netns", "exec", "outside", program, "tracker", "--listen", otherInternet+":8000")
	seed := says(t, ctx, `"note":"mapped"`, "ip", "netns", "exec", "inside", program, "seed", content.Torrent, "--dir", content.Dir,
		"--listen-port", "7001", "--dht", "off", "--progress", "none", "--trace", "-", "--trace-domain")
	does("", "ip netns exec outside "+program+" download "+content.Torrent+" --dir got --dht off --no-port-mapping --progress none --timeout 1m")

	if rules := does("", "nft list table inet miniupnpd"); strings.Count(rules, "dnat ip to "+seedInside+":7001") != 2 {
		t.Errorf("TCP and UDP are not both mapped: %s", rules)
	}
	_ = seed.Process.Signal(os.Interrupt)
	_ = seed.Wait()
	if rules := does("", "nft list table inet miniupnpd"); strings.Contains(rules, "dnat") {
		t.Errorf("left behind: %s", rules)
	}
}

// says starts a program, waits until a line of it has a text, and kills it at
// the end of the test.
func says(t *testing.T, ctx context.Context, text string, command ...string) *exec.Cmd {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Stdout, c.Stderr, c.SysProcAttr = write, write, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err = c.Start()
	_ = write.Close()
	if err != nil {
		t.Fatal(err)
	}
	drained := make(chan struct{})
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		_ = read.Close()
		<-drained
	})
	lines := bufio.NewReader(read)
	for {
		line, err := lines.ReadString('\n')
		if strings.Contains(line, text) {
			break
		}
		if err != nil {
			close(drained)
			t.Fatalf("%s ended without saying %q", command, text)
		}
	}
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, lines)
	}()
	return c
}
