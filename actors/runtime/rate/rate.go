// Package rate estimates how fast bytes or blocks flow. It is plain Go: the
// time comes in as an argument.
//
// Two estimators are needed, because they answer different questions:
//
//   - Rolling is the mean over the last seconds, pauses included: what a peer
//     gave us of late. Choking ranks by it and displays show it. A peer that
//     stops falls to zero within that time.
//   - Flow is how fast something comes while it is asked for, from one
//     measurement of a fraction of a second to the next: what to expect of the
//     next request. It needs no second to pass, it outlives pauses in which
//     nothing was asked for, and it is never zero again.
package rate
