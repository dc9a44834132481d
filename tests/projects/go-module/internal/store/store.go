// Package store keeps texts in memory, the newest ones.
package store

import (
	"strconv"
	"sync"
)

// Store keeps at most so many texts.
type Store struct {
	lock  sync.Mutex
	most  int
	next  int
	texts map[int]string
}

// New makes an empty store for most texts.
func New(most int) *Store {
	return &Store{most: most, texts: map[int]string{}}
}

// Put keeps a text and gives its number.
func (s *Store) Put(text string) string {
	s.lock.Lock()
	defer s.lock.Unlock()
	number := s.next
	s.next++
	s.texts[number] = text
	delete(s.texts, number-s.most)
	return strconv.Itoa(number)
}

// Get gives the text of a number.
func (s *Store) Get(number string) (string, bool) {
	at, err := strconv.Atoi(number)
	if err != nil {
		return "", false
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	text, ok := s.texts[at]
	return text, ok
}
