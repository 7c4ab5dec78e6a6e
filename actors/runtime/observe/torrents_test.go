package observe

import (
	"testing"

	"kouzui/messages"
)

// The page is told of the metadata for as long as that is fetched.
func TestHowMuchMetadataHasCome(t *testing.T) {
	var shown torrent
	shown.take(&messages.Progress{State: messages.StateMetadata, Metadata: messages.MetadataProgress{Peers: 2, Size: 70000, Received: 35000}}, "")
	if m := shown.Metadata; m == nil || *m != (metadata{Size: 70000, Received: 35000, Parts: 5, Have: 3, Peers: 2}) {
		t.Errorf("it tells %+v", m)
	}
	shown.take(&messages.Progress{State: messages.StateStarting}, "")
	if shown.Metadata != nil {
		t.Errorf("then it tells %+v", *shown.Metadata)
	}
}
