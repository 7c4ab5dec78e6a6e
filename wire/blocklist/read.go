package blocklist

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

const (
	// MaxText is how many bytes of a list are read, after it was unpacked: about
	// ten times as many as the longest published list has.
	MaxText = 512 << 20

	// MaxRanges is how many ranges a list may have, after those that overlap or
	// touch were made one: about four times as many as the longest published list.
	// They take 8 bytes each, those of IPv6 32; while the list is read, twice as
	// many are held.
	MaxRanges = 2_000_000

	mergeEvery = 1 << 16 // entries at least, before ranges are merged on the way

	maxLine   = 4096 // bytes; a longer one is no entry
	shownBad  = 5    // lines that cannot be read and are named
	passLevel = 128  // from this level on an ipfilter.dat does not block a range
)

// Report is what was found in a list.
type Report struct {
	Entries int   // that block something
	Bad     int   // lines that cannot be read
	Lines   []int // the numbers of the first of these, from 1
}

// Warning is a sentence about the lines that cannot be read, "" if there are
// none.
func (r Report) Warning() string {
	if r.Bad == 0 {
		return ""
	}
	numbers := make([]string, len(r.Lines))
	for i, n := range r.Lines {
		numbers[i] = strconv.Itoa(n)
	}
	list := strings.Join(numbers, ", ")
	if r.Bad == 1 {
		return fmt.Sprintf("line %s cannot be read and is left out", list)
	}
	if r.Bad > len(r.Lines) {
		list += ", …"
	}
	return fmt.Sprintf("%d lines cannot be read and are left out: %s", r.Bad, list)
}

var (
	errNone    = errors.New("no line is an address, a range of addresses or a network")
	errTooMany = fmt.Errorf("the list has more than %d ranges that do not touch", MaxRanges)
)

// unsupported is how files begin in which lists are published, too, and that
// Read cannot read.
var unsupported = []struct{ begin, is string }{
	{"PK\x03\x04", "a zip archive: unpack it first"},
	{"\xfd7zXZ\x00", "packed with xz: unpack it first"},
	{"BZh", "packed with bzip2: unpack it first"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"},
	{"Rar!\x1a", "a rar archive: unpack it first"},
	{"\x28\xb5\x2f\xfd", "packed with zstd: unpack it first"},
	{"\xff\xff\xff\xffP2B", "in the binary format P2B, which is not supported: use the list as text"},
	{"\xff\xfe", "UTF-16 text: save it as UTF-8"},
	{"\xfe\xff", "UTF-16 text: save it as UTF-8"},
}

// open is the text of a list.
func open(from io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(from, 64<<10)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, damaged(err)
		}
		in = bufio.NewReaderSize(z, 64<<10)
	}
	begin, _ := in.Peek(8)
	for _, u := range unsupported {
		if strings.HasPrefix(string(begin), u.begin) {
			return nil, fmt.Errorf("the list is %s", u.is)
		}
	}
	return in, nil
}

// damaged is err in a user's words, if it is one of gzip.
func damaged(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the packed list is cut off: fetch it again")
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, new(flate.CorruptInputError)):
		return errors.New("the packed list is damaged: fetch it again")
	}
	return err
}

// Read reads a list, see the package. Lines that cannot be read are left out
// and reported. If no line can be read, that is an error.
func Read(from io.Reader) (*List, Report, error) {
	var report Report
	in, err := open(from)
	if err != nil {
		return nil, report, err
	}
	var d draft
	passed, size := 0, 0
	for number := 1; ; number++ {
		line, n, err := readLine(in)
		if size += n; size > MaxText {
			return nil, report, fmt.Errorf("the list is longer than %d bytes", MaxText)
		}
		if err != nil && err != io.EOF {
			return nil, report, damaged(err)
		}
		if number == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		switch first, last, is := parse(line); is {
		case entry:
			report.Entries++
			if err := d.add(first, last); err != nil {
				return nil, report, err
			}
		case pass:
			passed++
		case bad:
			report.Bad++
			if len(report.Lines) < shownBad {
				report.Lines = append(report.Lines, number)
			}
		}
		if err == io.EOF {
			break
		}
	}
	if report.Entries+passed == 0 {
		return nil, report, errNone
	}
	if err := d.merge(); err != nil {
		return nil, report, err
	}
	return &List{slices.Clone(d.v4.all), slices.Clone(d.v6.all)}, report, nil // without the room to grow
}

// readLine reads a line, and returns how many bytes it had. For a line that is
// too long it returns text that is no entry.
func readLine(in *bufio.Reader) (line string, n int, err error) {
	b, err := in.ReadSlice('\n')
	n = len(b)
	line = string(b)
	for err == bufio.ErrBufferFull && n <= MaxText {
		b, err = in.ReadSlice('\n')
		n += len(b)
	}
	if n > maxLine {
		line = "?"
	}
	return line, n, err
}

// kind is what a line is.
type kind int

const (
	nothing kind = iota // empty, or a comment
	entry
	pass
	bad
)

func parse(line string) (first, last netip.Addr, is kind) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' || line[0] == ';' || strings.HasPrefix(line, "//") {
		return first, last, nothing
	}
	bare := line
	if i := strings.IndexAny(bare, "#;"); i > 0 {
		bare = strings.TrimSpace(bare[:i])
	}
	head, rest, dat := strings.Cut(bare, ",")
	if first, last, ok := plain(head); ok {
		level, _, _ := strings.Cut(rest, ",")
		if n, err := strconv.Atoi(strings.TrimSpace(level)); dat && err == nil && n >= passLevel {
			return first, last, pass
		}
		return first, last, entry
	}
	if first, last, ok := named(line); ok {
		return first, last, entry
	}
	return first, last, bad
}

// plain reads a network, a range or an address.
func plain(s string) (first, last netip.Addr, ok bool) {
	if s = strings.TrimSpace(s); strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return first, last, false
		}
		p = p.Masked()
		return between(p.Addr(), end(p))
	}
	from, to, isRange := strings.Cut(s, "-")
	if !isRange {
		to = from
	}
	return between(address(from), address(to))
}

// named reads a line of P2P text. Its name may contain anything, colons too, so
// the address begins as late in the line as possible.
func named(s string) (first, last netip.Addr, ok bool) {
	i := strings.LastIndexByte(s, '-')
	if i < 0 {
		return first, last, false
	}
	last = address(s[i+1:])
	if !last.IsValid() {
		return first, last, false
	}
	head := s[:i]
	for {
		_, rest, more := strings.Cut(head, ":")
		if !more {
			return first, last, false
		}
		if first, last, ok := between(address(rest), last); ok {
			return first, last, true
		}
		head = rest
	}
}

// between tells whether first and last make a range of one family.
func between(first, last netip.Addr) (netip.Addr, netip.Addr, bool) {
	ok := first.IsValid() && last.IsValid() && first.BitLen() == last.BitLen() && first.Compare(last) <= 0
	return first, last, ok
}

// end is the last address of a network.
func end(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	last, _ := netip.AddrFromSlice(b)
	return last
}

// address reads an address; the zero Addr is none.
func address(s string) netip.Addr {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, ":") {
		return address4(s)
	}
	if strings.Trim(s, "0123456789abcdefABCDEF:.") != "" {
		return netip.Addr{} // most names end here; making an error for each would be slow
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}

// address4 reads four numbers, which may have leading zeros, as an ipfilter.dat
// has them.
func address4(s string) netip.Addr {
	var b [4]byte
	part, digits, n := 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9' && digits < 3:
			digits++
			if n = 10*n + int(c-'0'); n > 255 {
				return netip.Addr{}
			}
			b[part] = byte(n)
		case c == '.' && digits > 0 && part < 3:
			part, digits, n = part+1, 0, 0
		default:
			return netip.Addr{}
		}
	}
	if part < 3 || digits == 0 {
		return netip.Addr{}
	}
	return netip.AddrFrom4(b)
}
