package extended

import "errors"

var errUploadOnly = errors.New("neither yes nor no")

// AppendUploadOnly appends the message that a side wants no more pieces (BEP
// 21), or does again, as it goes on the wire.
func AppendUploadOnly(dst []byte, is bool) []byte {
	if is {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// ParseUploadOnly returns whether the other side wants no more pieces.
func ParseUploadOnly(payload []byte) (bool, error) {
	if len(payload) != 1 {
		return false, errUploadOnly
	}
	return payload[0] != 0, nil
}
