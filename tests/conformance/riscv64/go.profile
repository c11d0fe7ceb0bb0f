0 263 ab76c291de08eab5
cpu profiling already in use
samples true true true
heap 64 true true
waiting 10 of true
contention true true
trace true true true
metrics true true true
memory true true true 64
usage true
build true command-line-arguments linux riscv64 true
profile.go 137 true
