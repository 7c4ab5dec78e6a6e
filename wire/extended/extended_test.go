package extended

import "testing"

// What a handshake does not mention stays as it was.
func TestHandshakesAddUp(t *testing.T) {
	var theirs Numbers
	theirs.Apply(Offers{Metadata: {true, 9}, Exchange: {true, 3}})
	theirs.Apply(withdrawn(Offers{DontHave: {true, 200}}, Exchange))
	if want := (Numbers{Metadata: 9, DontHave: 200}); theirs != want {
		t.Fatalf("%v, want %v", theirs, want)
	}
	if theirs.Takes(Exchange) || theirs.Takes(UploadOnly) || !theirs.Takes(DontHave) {
		t.Error("what is taken is not what was offered")
	}
}

func TestNamesOfMessages(t *testing.T) {
	for k, want := range map[Kind]string{0: "unknown(0)", Exchange: "ut_pex", Metadata: "ut_metadata", DontHave: "lt_donthave", UploadOnly: "upload_only", 77: "unknown(77)"} {
		if got := k.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
