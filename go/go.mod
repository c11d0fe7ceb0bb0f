module carillon

go 1.18
