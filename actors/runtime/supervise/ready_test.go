package supervise

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/asynkron/protoactor-go/actor"
)

// calls is a mailbox that records the calls of its methods.
type calls struct {
	actor.Mailbox
	made []string
}

func (c *calls) PostUserMessage(m any)   { c.made = append(c.made, m.(string)) }
func (c *calls) PostSystemMessage(m any) { c.made = append(c.made, m.(string)) }
func (c *calls) RegisterHandlers(actor.MessageInvoker, actor.Dispatcher) {
	c.made = append(c.made, "registered")
}

// No message reaches a mailbox before it can be run.
func TestSendersWaitUntilAMailboxIsReady(t *testing.T) {
	for kind, post := range map[string]func(*whenReady, string){
		"user":   func(w *whenReady, m string) { w.PostUserMessage(m) },
		"system": func(w *whenReady, m string) { w.PostSystemMessage(m) },
	} {
		synctest.Test(t, func(t *testing.T) {
			inner := &calls{}
			w := newWhenReady(inner)
			go post(w, "early")
			synctest.Wait()
			w.RegisterHandlers(nil, nil)
			synctest.Wait()
			post(w, "late")
			if want := []string{"registered", "early", "late"}; !slices.Equal(inner.made, want) {
				t.Errorf("%s message: %v, want %v", kind, inner.made, want)
			}
		})
	}
}
