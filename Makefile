# The README's words; Meson and Ninja do the work.
.PHONY: build
build:
	@test -f build/build.ninja || meson setup build
	@ninja -C build
