package extended

import "testing"

func TestDontHave(t *testing.T) {
	if got, err := ParseDontHave(AppendDontHave(nil, 0x01020304)); err != nil || got != 0x01020304 {
		t.Errorf("%x, %v", got, err)
	}
	for _, wire := range []string{"", "abc", "abcde"} {
		if _, err := ParseDontHave([]byte(wire)); err == nil {
			t.Errorf("%q names a piece", wire)
		}
	}
}

func TestUploadOnly(t *testing.T) {
	for _, is := range []bool{false, true} {
		if got, err := ParseUploadOnly(AppendUploadOnly(nil, is)); err != nil || got != is {
			t.Errorf("%v comes as %v, %v", is, got, err)
		}
	}
	for _, wire := range []string{"", "ab"} {
		if _, err := ParseUploadOnly([]byte(wire)); err == nil {
			t.Errorf("%q is an answer", wire)
		}
	}
}
