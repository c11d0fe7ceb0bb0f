/* The linked vDSO as a section of the library's image, which linux/image.ld places in a segment of its own. VDSO_FILE: build/ARCH/vdso. */
	.section .vdso, "a"
	.incbin VDSO_FILE
