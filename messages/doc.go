// Package messages holds every message that two actors exchange, one file a
// conversation. Read top to bottom it is the protocol inside the process, as
// package wire is the protocol outside it.
//
// Rules that hold for all of them:
//
//   - A command is imperative and goes down the tree; an event is in the past
//     tense and goes up. The doc of each says who sends it, who takes it and
//     what the receiver must do.
//   - They are sent as pointers and are immutable once sent. The exceptions are
//     buffers whose ownership moves with the message; the doc says so.
//   - An actor that stops loses the messages still in its mailbox without a
//     trace, so no message is the only holder of a credit: whoever handed out
//     work watches the worker and takes the work back.
//   - Time reaches a core only inside a call; a message that depends on when
//     something happened carries the time.
package messages
