package metainfo

// Parse reads a .torrent. Its error is always an *Error.
func Parse(raw []byte) (*Torrent, error) { return nil, refuse("not read") }

// ParseInfo reads an info dictionary alone, as BEP 9 brings it; it has no trackers and no comment. Its error is always an *Error.
func ParseInfo(info []byte) (*Torrent, error) { return nil, refuse("not read") }
