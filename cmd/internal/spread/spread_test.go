package spread

import "testing"

func TestOf(t *testing.T) {
	tests := []struct {
		values []float64
		want   Spread
		ok     bool
	}{
		{nil, Spread{}, false},
		{[]float64{2}, Spread{2, 2, 2}, true},
		{[]float64{3, 1}, Spread{1, 2, 3}, true},
		{[]float64{9, 1, 2}, Spread{1, 2, 9}, true},
	}
	for _, tt := range tests {
		if got, ok := Of(tt.values); got != tt.want || ok != tt.ok {
			t.Errorf("%v: %v %v, want %v", tt.values, got, ok, tt.want)
		}
	}
}

func TestShow(t *testing.T) {
	for want, s := range map[string]Spread{"1.5 (1.0–2.0)": {1, 1.5, 2}, "1.0": {1, 1.01, 1.04}} {
		if got := s.Show(1); got != want {
			t.Errorf("%v is %q, want %q", s, got, want)
		}
	}
}
