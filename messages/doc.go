// Package messages holds every message that two actors exchange, one file a
// conversation. Read top to bottom it is the protocol inside the process, as
// package wire is the protocol outside it.
//
// Rules that hold for all of them:
//
//   - A command is imperative (RequestBlocks) and never goes up the tree. An
//     event is in the past tense (PieceVerified), or names a state or figures
//     (PeerChoking, PeerRates); it goes up, or answers an actor below.
//     A question begins with Query, and its doc names the answer. Actors of
//     different branches may command each other and tell each other of events.
//   - The doc of each begins "Name: sender to receiver", and says what the
//     receiver must do. TestNamesFollowDirections holds names and docs against
//     the tree.
//   - They are sent as pointers and are immutable once sent. The exceptions are
//     buffers whose ownership moves with the message; the doc says so.
//   - An actor that stops loses the messages still in its mailbox without a
//     trace, so no message is the only holder of a credit: an actor that hands
//     out work watches the worker and takes the work back.
//   - Time reaches a core only inside a call; a message that depends on when
//     something happened carries the time.
package messages
