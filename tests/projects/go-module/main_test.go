package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/paste/internal/store"
)

func ask(t *testing.T, kept *store.Store, method, path, body string) (int, string) {
	t.Helper()
	answer := httptest.NewRecorder()
	routes(kept).ServeHTTP(answer, httptest.NewRequest(method, path, strings.NewReader(body)))
	return answer.Code, strings.TrimSpace(answer.Body.String())
}

func TestWhatWasPastedIsThere(t *testing.T) {
	kept := store.New(10)
	status, number := ask(t, kept, http.MethodPost, "/", "hello")
	if status != http.StatusCreated {
		t.Fatalf("status %d", status)
	}
	if status, text := ask(t, kept, http.MethodGet, "/"+number, ""); status != http.StatusOK || text != "hello" {
		t.Fatalf("status %d, %q", status, text)
	}
}

func TestWhatIsTooLongIsRefused(t *testing.T) {
	status, _ := ask(t, store.New(10), http.MethodPost, "/", strings.Repeat("a", largest+1))
	if status != http.StatusRequestEntityTooLarge {
		t.Fatalf("status %d", status)
	}
}
