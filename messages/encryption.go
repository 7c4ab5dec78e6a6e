package messages

import "kouzui/wire/mse"

// EncryptionPolicy is what the user wants of message stream encryption (MSE).
// Empty: AllowEncryption.
type EncryptionPolicy string

// The policies. Whoever comes in decides whether to encrypt, unless encryption
// is required or off.
const (
	// AllowEncryption dials without, and again with encryption if the first
	// connection was cut off at once.
	AllowEncryption   EncryptionPolicy = "allow"
	PreferEncryption  EncryptionPolicy = "prefer"  // dials with, and again without if that fails
	RequireEncryption EncryptionPolicy = "require" // of the handshakes and of all that follows
	NoEncryption      EncryptionPolicy = "off"
)

// Methods are the ways to go on after an encrypted handshake. If the other side
// leaves the choice to us, the payload goes in plain text, which costs nothing.
func (p EncryptionPolicy) Methods() mse.Methods {
	switch p {
	case NoEncryption:
		return 0
	case RequireEncryption:
		return mse.RC4
	}
	return mse.Plaintext | mse.RC4
}

// Encryption says how a link may encrypt the handshakes of its connection.
type Encryption struct {
	// Methods are those to go on with afterwards; 0: nothing is encrypted.
	Methods mse.Methods
	// InfoHash, of a link that was dialled, is that of the torrent. Its handshake
	// is encrypted.
	InfoHash [20]byte
	// Find, of a link that came in, is called with the mse.TorrentKey of an
	// encrypted handshake, and calls answer at most once, from anywhere.
	Find func(key [20]byte, answer func(infoHash [20]byte, found bool))
	// Required refuses a link that came in if its handshake is not encrypted.
	Required bool
}

// Encrypted is what of a connection is encrypted.
type Encrypted uint8

// What can be encrypted.
const (
	EncryptedNothing Encrypted = iota
	EncryptedHandshake
	EncryptedAll // with RC4
)

func (e Encrypted) String() string { return [...]string{"nothing", "handshake", "all"}[e] }
