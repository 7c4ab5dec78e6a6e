package metainfo

import (
	"net/url"
	"slices"
	"strings"
)

// masked is shown in place of what is hidden.
const masked = "***"

// leastSecret is the length in bytes from which on a part of an address is
// looked for in a text. Shorter parts are no secrets, and would be found in any
// text.
const leastSecret = 6

// plainParts are parts of announce URLs that are the same for all users.
var plainParts = []string{"", "announce", "announce.php", "ann", "tracker", "tracker.php", "scrape", "api"}

// MaskURL makes the address of a tracker fit for logs and for other people: it
// keeps scheme and host, and hides what may be a user's key. Trackers put keys,
// which are as good as passwords, into the path, the query, and before the
// host.
func MaskURL(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return masked
	}
	shown := u.Scheme + "://"
	if u.User != nil {
		shown += masked + "@"
	}
	shown += u.Host
	for i, part := range strings.Split(u.Path, "/") {
		if i > 0 {
			shown += "/"
		}
		if slices.Contains(plainParts, part) {
			shown += part
		} else {
			shown += masked
		}
	}
	if u.RawQuery != "" {
		shown += "?" + masked
	}
	return Clean(shown, shownText)
}

// MaskIn hides in a text what MaskURL would hide in address: trackers repeat
// keys in their messages.
func MaskIn(text, address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return text
	}
	secrets := strings.Split(u.Path, "/")
	for name, values := range u.Query() {
		if secrets = append(secrets, values...); slices.Equal(values, []string{""}) {
			secrets = append(secrets, name) // a value without a name
		}
	}
	if u.User != nil {
		password, _ := u.User.Password()
		secrets = append(secrets, u.User.Username(), password)
	}
	for _, s := range secrets {
		if len(s) >= leastSecret && !slices.Contains(plainParts, s) {
			text = strings.ReplaceAll(text, s, masked)
		}
	}
	return text
}
