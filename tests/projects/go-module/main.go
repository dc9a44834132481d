// Command paste keeps pieces of text for whoever has their number.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"example.com/paste/internal/store"
)

const largest = 64 << 10

func main() {
	address := os.Getenv("PASTE_ADDRESS")
	if address == "" {
		address = ":8080"
	}
	log.Fatal(http.ListenAndServe(address, routes(store.New(1000))))
}

func routes(kept *store.Store) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintln(w, `{"status": "ok"}`)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			paste(kept, w, r)
			return
		}
		text, ok := kept.Get(strings.TrimPrefix(r.URL.Path, "/"))
		if !ok {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, text)
	})
	return mux
}

func paste(kept *store.Store, w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largest))
	if err != nil {
		http.Error(w, "too long", http.StatusRequestEntityTooLarge)
		return
	}
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintln(w, kept.Put(string(text)))
}
