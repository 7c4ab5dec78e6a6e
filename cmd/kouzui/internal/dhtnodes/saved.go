package dhtnodes

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"

	"kouzui"
	"kouzui/cmd/kouzui/internal/statedir"
)

const (
	// version is of the file's form. A file of another version is none.
	version = 1
	// maxNodes bounds the nodes of a family: some of them are gone by the next
	// run, and the others tell of more.
	maxNodes = 100
	// maxLen bounds the file in bytes: two families of maxNodes take 10 KiB.
	maxLen = 32 << 10
)

// memories are what is kept of the DHT of IPv4 and of IPv6.
type memories [2]kouzui.DHTMemory

// file is the form of the file.
type file struct {
	Version int    `json:"version"`
	IPv4    family `json:"ipv4"`
	IPv6    family `json:"ipv6"`
}

type family struct {
	ID       string           `json:"id,omitempty"` // hexadecimal
	External netip.Addr       `json:"external,omitzero"`
	Nodes    []netip.AddrPort `json:"nodes,omitempty"`
}

// read reads a file. If there is none, nothing is known, which is no error.
func read(path string) (m memories, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxLen+1))
	if err != nil {
		return m, err
	}
	return parse(text)
}

func parse(text []byte) (m memories, err error) {
	var saved file
	if len(text) > maxLen {
		return memories{}, fmt.Errorf("it is longer than %d bytes", maxLen)
	}
	if err := json.Unmarshal(text, &saved); err != nil {
		return memories{}, err
	}
	if saved.Version != version {
		return memories{}, fmt.Errorf("its version is %d, not %d", saved.Version, version)
	}
	if m[0], err = saved.IPv4.memory(netip.Addr.Is4); err != nil {
		return memories{}, err
	}
	if m[1], err = saved.IPv6.memory(isIPv6); err != nil {
		return memories{}, err
	}
	return m, nil
}

func isIPv6(a netip.Addr) bool { return a.Is6() && !a.Is4In6() && a.Zone() == "" }

// memory checks what was read of a family, whose addresses are those that is
// tells.
func (f *family) memory(is func(netip.Addr) bool) (m kouzui.DHTMemory, err error) {
	id, err := hex.DecodeString(f.ID)
	if err != nil || len(id) != 0 && len(id) != len(m.ID) {
		return m, fmt.Errorf("%q is no id", f.ID)
	}
	copy(m.ID[:], id)
	if f.External.IsValid() && !is(f.External) {
		return m, fmt.Errorf("%v is of another family", f.External)
	}
	m.External = f.External
	for _, node := range f.Nodes[:min(len(f.Nodes), maxNodes)] {
		if !is(node.Addr()) || node.Port() == 0 {
			return m, fmt.Errorf("%v is no address of a node of that family", node)
		}
		m.Nodes = append(m.Nodes, node)
	}
	return m, nil
}

// write writes the file, whole or not at all.
func (m *memories) write(path string) error {
	form := func(m kouzui.DHTMemory) family {
		f := family{External: m.External, Nodes: m.Nodes[:min(len(m.Nodes), maxNodes)]}
		if m.ID != [20]byte{} {
			f.ID = hex.EncodeToString(m.ID[:])
		}
		return f
	}
	text, err := json.Marshal(file{Version: version, IPv4: form(m[0]), IPv6: form(m[1])})
	if err != nil {
		return err
	}
	return statedir.Write(path, append(text, '\n'))
}
