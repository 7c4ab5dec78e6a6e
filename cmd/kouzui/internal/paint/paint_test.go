package paint

import (
	"math"
	"strings"
	"testing"
)

// xterm are the colours that xterm shows for 30 to 37, by red, green and blue.
var xterm = [][3]float64{
	{0, 0, 0}, {205, 0, 0}, {0, 205, 0}, {205, 205, 0}, {0, 0, 238}, {205, 0, 205}, {0, 205, 205}, {229, 229, 229},
}

// Text in a colour has a contrast of at least 3 to black and to white, which is
// what WCAG 2 asks of large text.
func TestContrast(t *testing.T) {
	for name, colour := range map[string]string{"Warning": magenta, "Failure": red} {
		light := luminance(xterm[colour[1]-'0'])
		if on := (light + 0.05) / 0.05; on < 3 {
			t.Errorf("%s: a contrast of %.1f to black", name, on)
		}
		if on := 1.05 / (light + 0.05); on < 3 {
			t.Errorf("%s: a contrast of %.1f to white", name, on)
		}
	}
}

// luminance is the relative luminance of sRGB, as WCAG 2 defines it.
func luminance(c [3]float64) (sum float64) {
	for i, weight := range [3]float64{0.2126, 0.7152, 0.0722} {
		v := c[i] / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

func TestNoColours(t *testing.T) {
	for _, on := range []bool{false, true} {
		p := Paint(on)
		for _, style := range []func(string) string{p.Bold, p.Faint, p.Warning, p.Failure, p.Blocks} {
			if got := style("a"); strings.Contains(got, "\x1b") != on || style("") != "" {
				t.Errorf("%v: %q", on, got)
			}
		}
	}
}
