;; The optimizers' updates and sums of gradients, in place, four float32 at a time. Arrays start at multiples of 16 bytes and are padded with
;; zeros to a multiple of four elements: zeros stay zeros under both rules.
(module
  (import "maelang" "memory" (memory 1 65536))

  ;; As torch.optim.AdamW: m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;
  ;; p <- p keep - rate m / (sqrt(v) root + epsilon), with
  ;; keep = 1 - lr decay, rate = lr / (1 - b1^t), root = 1 / sqrt(1 - b2^t). Addresses and the end of p in bytes.
  (func (export "adamw")
    (param $p i32) (param $g i32) (param $m i32) (param $v i32) (param $end i32)
    (param $b1 f32) (param $b2 f32) (param $keep f32) (param $rate f32) (param $root f32) (param $epsilon f32)
    (local $grad v128) (local $mean v128) (local $square v128)
    (local $b1s v128) (local $b2s v128) (local $c1s v128) (local $c2s v128)
    (local $keeps v128) (local $rates v128) (local $roots v128) (local $epsilons v128)
    (local.set $b1s (f32x4.splat (local.get $b1)))
    (local.set $b2s (f32x4.splat (local.get $b2)))
    (local.set $c1s (f32x4.splat (f32.sub (f32.const 1) (local.get $b1))))
    (local.set $c2s (f32x4.splat (f32.sub (f32.const 1) (local.get $b2))))
    (local.set $keeps (f32x4.splat (local.get $keep)))
    (local.set $rates (f32x4.splat (local.get $rate)))
    (local.set $roots (f32x4.splat (local.get $root)))
    (local.set $epsilons (f32x4.splat (local.get $epsilon)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $p) (local.get $end)))
        (local.set $grad (v128.load (local.get $g)))
        (local.set $mean (f32x4.add
          (f32x4.mul (v128.load (local.get $m)) (local.get $b1s))
          (f32x4.mul (local.get $grad) (local.get $c1s))))
        (local.set $square (f32x4.add
          (f32x4.mul (v128.load (local.get $v)) (local.get $b2s))
          (f32x4.mul (f32x4.mul (local.get $grad) (local.get $grad)) (local.get $c2s))))
        (v128.store (local.get $m) (local.get $mean))
        (v128.store (local.get $v) (local.get $square))
        (v128.store (local.get $p) (f32x4.sub
          (f32x4.mul (v128.load (local.get $p)) (local.get $keeps))
          (f32x4.div
            (f32x4.mul (local.get $mean) (local.get $rates))
            (f32x4.add (f32x4.mul (f32x4.sqrt (local.get $square)) (local.get $roots)) (local.get $epsilons)))))
        (local.set $p (i32.add (local.get $p) (i32.const 16)))
        (local.set $g (i32.add (local.get $g) (i32.const 16)))
        (local.set $m (i32.add (local.get $m) (i32.const 16)))
        (local.set $v (i32.add (local.get $v) (i32.const 16)))
        (br $next))))

  ;; As torch.optim.SGD: g <- g + decay p;  m <- momentum m + g;  p <- p - lr (m, or g + momentum m with nesterov).
  (func (export "sgd")
    (param $p i32) (param $g i32) (param $m i32) (param $end i32)
    (param $lr f32) (param $momentum f32) (param $decay f32) (param $nesterov i32)
    (local $grad v128) (local $velocity v128)
    (local $lrs v128) (local $momenta v128) (local $decays v128)
    (local.set $lrs (f32x4.splat (local.get $lr)))
    (local.set $momenta (f32x4.splat (local.get $momentum)))
    (local.set $decays (f32x4.splat (local.get $decay)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $p) (local.get $end)))
        (local.set $grad (f32x4.add
          (v128.load (local.get $g))
          (f32x4.mul (v128.load (local.get $p)) (local.get $decays))))
        (local.set $velocity (f32x4.add
          (f32x4.mul (v128.load (local.get $m)) (local.get $momenta))
          (local.get $grad)))
        (v128.store (local.get $m) (local.get $velocity))
        (if (local.get $nesterov)
          (then (local.set $velocity (f32x4.add
            (local.get $grad)
            (f32x4.mul (local.get $velocity) (local.get $momenta))))))
        (v128.store (local.get $p) (f32x4.sub
          (v128.load (local.get $p))
          (f32x4.mul (local.get $velocity) (local.get $lrs))))
        (local.set $p (i32.add (local.get $p) (i32.const 16)))
        (local.set $g (i32.add (local.get $g) (i32.const 16)))
        (local.set $m (i32.add (local.get $m) (i32.const 16)))
        (br $next))))

  ;; sum <- keep sum + share g, with the sum's address in p.
  (func (export "accumulate")
    (param $p i32) (param $g i32) (param $end i32) (param $keep f32) (param $share f32)
    (local $keeps v128) (local $shares v128)
    (local.set $keeps (f32x4.splat (local.get $keep)))
    (local.set $shares (f32x4.splat (local.get $share)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $p) (local.get $end)))
        (v128.store (local.get $p) (f32x4.add
          (f32x4.mul (v128.load (local.get $p)) (local.get $keeps))
          (f32x4.mul (v128.load (local.get $g)) (local.get $shares))))
        (local.set $p (i32.add (local.get $p) (i32.const 16)))
        (local.set $g (i32.add (local.get $g) (i32.const 16)))
        (br $next)))))
