package store

import "testing"

func TestTheOldestMakesRoom(t *testing.T) {
	kept := New(2)
	first, second, third := kept.Put("a"), kept.Put("b"), kept.Put("c")
	if _, ok := kept.Get(first); ok {
		t.Fatal("the oldest is still there")
	}
	for _, number := range []string{second, third} {
		if _, ok := kept.Get(number); !ok {
			t.Fatalf("%s is gone", number)
		}
	}
}
