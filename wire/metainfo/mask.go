package metainfo

import (
	"net/url"
	"slices"
	"strings"
)

// masked stands for what is not shown.
const masked = "***"

// leastSecret is how many bytes a part of an address has at least that is
// looked for in a text: shorter ones are no secrets, and would be found in
// anything.
const leastSecret = 6

// plainParts are parts of announce URLs that say nothing of who uses them.
var plainParts = []string{"", "announce", "announce.php", "ann", "tracker", "tracker.php", "scrape", "api"}

// MaskURL makes the address of a tracker fit for logs and for others to see:
// its scheme and host, and of the rest what cannot be a user's key. In the
// path, the query and before the host trackers have keys put that are as good
// as a password.
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

// MaskIn masks in a text whatever MaskURL would in address: trackers repeat
// keys in what they have to say.
func MaskIn(text, address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return text
	}
	secrets := strings.Split(u.Path, "/")
	for name, values := range u.Query() {
		if secrets = append(secrets, values...); slices.Equal(values, []string{""}) {
			secrets = append(secrets, name) // it stands alone
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
