;; The inner loops of build/core.simd.wasm that compute on vectors, by the function they stem from, locals renamed.
;; Written by `npm run wat`; loops.test.ts compares.

;; activation prelu
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (v128.store (local.get $2) (f32x4.add (f32x4.pmax (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000) (local.tee $3 (v128.load (local.get $2)))) (f32x4.mul (v128.load (local.get $4)) (f32x4.pmin (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000) (local.get $3)))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (local.set $4 (i32.add (local.get $4) (i32.const 16)))
   (br $0))))

;; activation relu
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (v128.store (local.get $2) (f32x4.pmax (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000) (v128.load (local.get $2))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (br $0))))

;; activation sigmoid
(loop $0
 (if
  (i32.gt_s (local.get $1) (i32.const 0))
  (then
   (local.set $2 (f32x4.add (local.tee $3 (f32x4.pmin (f32x4.pmax (f32x4.mul (if (result v128) (i32.ge_s (local.get $1) (i32.const 4)) (then (v128.load (local.get $4))) (else (block $5 (result v128) (if (i32.eq (local.get $1) (i32.const 1)) (then (br $5 (v128.load32_zero (local.get $4))))) (drop (br_if $5 (local.tee $6 (v128.load64_zero (local.get $4))) (i32.eq (local.get $1) (i32.const 2)))) (v128.load32_lane 2 (i32.add (local.get $4) (i32.const 8)) (local.get $6))))) (v128.load32_splat (i32.const 1100))) (v128.load32_splat (i32.const 1196))) (v128.load32_splat (i32.const 1200)))) (local.tee $7 (v128.load32_splat (i32.const 1096)))))
   (local.set $6 (f32x4.div (local.tee $6 (v128.load32_splat (i32.const 1132))) (f32x4.add (local.get $6) (i32x4.add (f32x4.add (local.get $6) (f32x4.mul (f32x4.add (v128.load32_splat (i32.const 1204)) (f32x4.mul (f32x4.add (v128.load32_splat (i32.const 1208)) (f32x4.mul (f32x4.add (v128.load32_splat (i32.const 1212)) (f32x4.mul (f32x4.add (v128.load32_splat (i32.const 1216)) (f32x4.mul (v128.load32_splat (i32.const 1220)) (local.tee $6 (f32x4.sub (local.get $3) (f32x4.sub (local.get $2) (local.get $7)))))) (local.get $6))) (local.get $6))) (local.get $6))) (local.get $6))) (i32x4.shl (local.get $2) (i32.const 23))))))
   (if
    (i32.ge_s (local.get $1) (i32.const 4))
    (then
     (v128.store (local.get $4) (local.get $6)))
    (else
     (block $8
      (if
       (i32.eq (local.get $1) (i32.const 1))
       (then
        (v128.store32_lane 0 (local.get $4) (local.get $6))
        (br $8)))
      (v128.store64_lane 0 (local.get $4) (local.get $6))
      (if
       (i32.eq (local.get $1) (i32.const 3))
       (then
        (v128.store32_lane 2 (i32.add (local.get $4) (i32.const 8)) (local.get $6)))))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $4 (i32.add (local.get $4) (i32.const 16)))
   (br $0))))

;; activation silu
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 16))
  (then
   (local.set $2 (f32x4.add (local.tee $3 (f32x4.pmin (f32x4.pmax (f32x4.mul (local.tee $4 (v128.load (local.get $5))) (local.tee $6 (v128.load32_splat (i32.const 1100)))) (local.tee $7 (v128.load32_splat (i32.const 1196)))) (local.tee $8 (v128.load32_splat (i32.const 1200))))) (local.tee $9 (v128.load32_splat (i32.const 1096)))))
   (local.set $10 (f32x4.add (local.tee $11 (f32x4.pmin (f32x4.pmax (f32x4.mul (v128.load (i32.add (local.get $5) (i32.const 16))) (local.get $6)) (local.get $7)) (local.get $8))) (local.get $9)))
   (local.set $12 (f32x4.add (local.tee $13 (f32x4.pmin (f32x4.pmax (f32x4.mul (v128.load (i32.add (local.get $5) (i32.const 32))) (local.get $6)) (local.get $7)) (local.get $8))) (local.get $9)))
   (local.set $7 (f32x4.add (local.tee $8 (f32x4.pmin (f32x4.pmax (f32x4.mul (v128.load (i32.add (local.get $5) (i32.const 48))) (local.get $6)) (local.get $7)) (local.get $8))) (local.get $9)))
   (v128.store (local.get $5) (f32x4.div (local.get $4) (f32x4.add (local.tee $14 (v128.load32_splat (i32.const 1132))) (i32x4.add (f32x4.add (local.get $14) (f32x4.mul (f32x4.add (local.tee $15 (v128.load32_splat (i32.const 1204))) (f32x4.mul (f32x4.add (local.tee $16 (v128.load32_splat (i32.const 1208))) (f32x4.mul (f32x4.add (local.tee $17 (v128.load32_splat (i32.const 1212))) (f32x4.mul (f32x4.add (local.tee $6 (v128.load32_splat (i32.const 1216))) (f32x4.mul (local.tee $4 (v128.load32_splat (i32.const 1220))) (local.tee $3 (f32x4.sub (local.get $3) (f32x4.sub (local.get $2) (local.get $9)))))) (local.get $3))) (local.get $3))) (local.get $3))) (local.get $3))) (i32x4.shl (local.get $2) (i32.const 23))))))
   (v128.store offset=16 (local.get $5) (f32x4.div (v128.load offset=16 (local.get $5)) (f32x4.add (local.get $14) (i32x4.add (f32x4.add (local.get $14) (f32x4.mul (f32x4.add (local.get $15) (f32x4.mul (f32x4.add (local.get $16) (f32x4.mul (f32x4.add (local.get $17) (f32x4.mul (f32x4.add (local.get $6) (f32x4.mul (local.get $4) (local.tee $11 (f32x4.sub (local.get $11) (f32x4.sub (local.get $10) (local.get $9)))))) (local.get $11))) (local.get $11))) (local.get $11))) (local.get $11))) (i32x4.shl (local.get $10) (i32.const 23))))))
   (v128.store offset=32 (local.get $5) (f32x4.div (v128.load offset=32 (local.get $5)) (f32x4.add (local.get $14) (i32x4.add (f32x4.add (local.get $14) (f32x4.mul (f32x4.add (local.get $15) (f32x4.mul (f32x4.add (local.get $16) (f32x4.mul (f32x4.add (local.get $17) (f32x4.mul (f32x4.add (local.get $6) (f32x4.mul (local.get $4) (local.tee $13 (f32x4.sub (local.get $13) (f32x4.sub (local.get $12) (local.get $9)))))) (local.get $13))) (local.get $13))) (local.get $13))) (local.get $13))) (i32x4.shl (local.get $12) (i32.const 23))))))
   (v128.store offset=48 (local.get $5) (f32x4.div (v128.load offset=48 (local.get $5)) (f32x4.add (local.get $14) (i32x4.add (f32x4.add (local.get $14) (f32x4.mul (f32x4.add (local.get $15) (f32x4.mul (f32x4.add (local.get $16) (f32x4.mul (f32x4.add (local.get $17) (f32x4.mul (f32x4.add (local.get $6) (f32x4.mul (local.get $4) (local.tee $8 (f32x4.sub (local.get $8) (f32x4.sub (local.get $7) (local.get $9)))))) (local.get $8))) (local.get $8))) (local.get $8))) (local.get $8))) (i32x4.shl (local.get $7) (i32.const 23))))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 16)))
   (local.set $5 (i32.sub (local.get $5) (i32.const -64)))
   (br $0))))

;; activation silu
(loop $0
 (if
  (i32.gt_s (local.get $1) (i32.const 0))
  (then
   (local.set $2 (f32x4.add (local.tee $3 (f32x4.pmin (f32x4.pmax (f32x4.mul (local.tee $4 (if (result v128) (i32.ge_s (local.get $1) (i32.const 4)) (then (v128.load (local.get $5))) (else (block $6 (result v128) (if (i32.eq (local.get $1) (i32.const 1)) (then (br $6 (v128.load32_zero (local.get $5))))) (drop (br_if $6 (local.tee $4 (v128.load64_zero (local.get $5))) (i32.eq (local.get $1) (i32.const 2)))) (v128.load32_lane 2 (i32.add (local.get $5) (i32.const 8)) (local.get $4)))))) (v128.load32_splat (i32.const 1100))) (v128.load32_splat (i32.const 1196))) (v128.load32_splat (i32.const 1200)))) (local.tee $7 (v128.load32_splat (i32.const 1096)))))
   (local.set $4 (f32x4.div (local.get $4) (f32x4.add (local.tee $4 (v128.load32_splat (i32.const 1132))) (i32x4.add (f32x4.add (local.get $4) (f32x4.mul (f32x4.add (v128.load32_splat (i32.const 1204)) (f32x4.mul (f32x4.add (v128.load32_splat (i32.const 1208)) (f32x4.mul (f32x4.add (v128.load32_splat (i32.const 1212)) (f32x4.mul (f32x4.add (v128.load32_splat (i32.const 1216)) (f32x4.mul (v128.load32_splat (i32.const 1220)) (local.tee $4 (f32x4.sub (local.get $3) (f32x4.sub (local.get $2) (local.get $7)))))) (local.get $4))) (local.get $4))) (local.get $4))) (local.get $4))) (i32x4.shl (local.get $2) (i32.const 23))))))
   (if
    (i32.ge_s (local.get $1) (i32.const 4))
    (then
     (v128.store (local.get $5) (local.get $4)))
    (else
     (block $8
      (if
       (i32.eq (local.get $1) (i32.const 1))
       (then
        (v128.store32_lane 0 (local.get $5) (local.get $4))
        (br $8)))
      (v128.store64_lane 0 (local.get $5) (local.get $4))
      (if
       (i32.eq (local.get $1) (i32.const 3))
       (then
        (v128.store32_lane 2 (i32.add (local.get $5) (i32.const 8)) (local.get $4)))))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $5 (i32.add (local.get $5) (i32.const 16)))
   (br $0))))

;; activation tanh
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (local.set $2 (f32x4.mul (local.tee $3 (f32x4.mul (local.tee $4 (v128.load (local.get $5))) (local.get $4))) (local.get $3)))
   (local.set $6 (f32x4.sub (local.tee $7 (f32x4.add (f32x4.mul (local.tee $8 (f32x4.pmin (f32x4.pmax (f32x4.add (local.tee $9 (f32x4.abs (local.get $4))) (local.get $9)) (v128.load32_splat (i32.const 1088))) (v128.load32_splat (i32.const 1092)))) (v128.load32_splat (i32.const 1100))) (local.tee $6 (v128.load32_splat (i32.const 1096))))) (local.get $6)))
   (local.set $8 (f32x4.mul (local.tee $10 (f32x4.add (f32x4.add (local.get $8) (f32x4.mul (local.get $6) (v128.load32_splat (i32.const 1104)))) (f32x4.mul (local.get $6) (v128.load32_splat (i32.const 1108))))) (local.get $10)))
   (v128.store (local.get $5) (v128.bitselect (f32x4.add (local.get $4) (f32x4.mul (f32x4.mul (local.get $4) (local.get $3)) (f32x4.add (f32x4.add (v128.load32_splat (i32.const 1172)) (f32x4.mul (v128.load32_splat (i32.const 1176)) (local.get $3))) (f32x4.mul (f32x4.add (f32x4.add (v128.load32_splat (i32.const 1180)) (f32x4.mul (v128.load32_splat (i32.const 1184)) (local.get $3))) (f32x4.mul (v128.load32_splat (i32.const 1188)) (local.get $2))) (local.get $2))))) (v128.or (f32x4.div (f32x4.sub (local.tee $6 (v128.load32_splat (i32.const 1132))) (local.tee $7 (i32x4.add (f32x4.add (f32x4.sub (local.get $6) (local.get $10)) (f32x4.mul (local.get $8) (f32x4.add (f32x4.add (v128.load32_splat (i32.const 1112)) (f32x4.mul (v128.load32_splat (i32.const 1116)) (local.get $10))) (f32x4.mul (f32x4.add (f32x4.add (v128.load32_splat (i32.const 1120)) (f32x4.mul (v128.load32_splat (i32.const 1124)) (local.get $10))) (f32x4.mul (v128.load32_splat (i32.const 1128)) (local.get $8))) (local.get $8))))) (i32x4.shl (local.get $7) (i32.const 23))))) (f32x4.add (local.get $6) (local.get $7))) (v128.and (local.get $4) (v128.const i32x4 0x80000000 0x80000000 0x80000000 0x80000000))) (f32x4.lt (local.get $9) (v128.load32_splat (i32.const 1192)))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $5 (i32.add (local.get $5) (i32.const 16)))
   (br $0))))

;; arena copy
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (v128.store (local.get $2) (v128.load (local.get $3)))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (local.set $3 (i32.add (local.get $3) (i32.const 16)))
   (br $0))))

;; arena settleFloats
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (v128.store (local.get $2) (v128.and (local.tee $3 (v128.load (local.get $4))) (f32x4.ge (v128.and (local.get $3) (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff)) (v128.const i32x4 0x20000000 0x20000000 0x20000000 0x20000000))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (local.set $4 (i32.add (local.get $4) (i32.const 16)))
   (br $0))))

;; conv filterBands
(loop $0
 (if
  (i32.lt_s (local.get $1) (local.get $2))
  (then
   (local.set $3 (if (result v128) (i32.ge_s (local.get $4) (i32.const 4)) (then (f32x4.add (local.get $3) (f32x4.mul (v128.load (local.get $5)) (v128.load (local.get $6))))) (else (f32x4.add (local.get $3) (f32x4.mul (block $7 (result v128) (if (i32.eq (local.get $4) (i32.const 1)) (then (br $7 (v128.load32_zero (local.get $5))))) (drop (br_if $7 (local.tee $3 (v128.load64_zero (local.get $5))) (i32.eq (local.get $4) (i32.const 2)))) (v128.load32_lane 2 (i32.add (local.get $5) (i32.const 8)) (local.get $3))) (block $8 (result v128) (if (i32.eq (local.get $4) (i32.const 1)) (then (br $8 (v128.load32_zero (local.get $6))))) (drop (br_if $8 (local.tee $3 (v128.load64_zero (local.get $6))) (i32.eq (local.get $4) (i32.const 2)))) (v128.load32_lane 2 (i32.add (local.get $6) (i32.const 8)) (local.get $3))))))))
   (local.set $1 (i32.add (local.get $1) (i32.const 1)))
   (local.set $6 (i32.add (local.get $6) (local.get $9)))
   (local.set $5 (i32.add (local.get $5) (local.get $9)))
   (br $0))))

;; conv filterThree
(loop $0
 (if
  (i32.lt_s (local.get $1) (local.get $2))
  (then
   (v128.store (local.get $3) (f32x4.add (f32x4.add (f32x4.add (local.get $4) (f32x4.mul (local.get $5) (v128.load (local.get $6)))) (f32x4.mul (local.get $7) (v128.load (local.get $8)))) (f32x4.mul (local.get $9) (v128.load (local.get $10)))))
   (local.set $1 (i32.add (local.get $1) (i32.const 1)))
   (local.set $6 (i32.add (local.get $6) (local.get $11)))
   (local.set $8 (i32.add (local.get $8) (local.get $11)))
   (local.set $10 (i32.add (local.get $11) (local.get $10)))
   (local.set $3 (i32.add (local.get $11) (local.get $3)))
   (br $0))))

;; conv filterTime
(loop $0
 (if
  (i32.lt_s (local.get $1) (local.get $2))
  (then
   (local.set $3 (i32.add (i32.add (block $4 (result i32) (if (i32.ge_s (local.tee $3 (i32.add (i32.sub (i32.add (local.get $5) (local.get $1)) (local.get $2)) (i32.const 1))) (i32.const 0)) (then (br $4 (i32.add (i32.add (local.get $6) (i32.load offset=12 (local.get $7))) (i32.shl (i32.mul (i32.mul (local.get $3) (i32.and (local.tee $8 (i32.load offset=48 (local.get $7))) (i32.const 65535))) (i32.shr_u (local.get $8) (i32.const 16))) (i32.const 2)))))) (i32.add (local.get $9) (i32.shl (i32.mul (i32.mul (i32.sub (i32.add (local.get $3) (local.get $2)) (i32.const 1)) (i32.and (local.tee $3 (i32.load offset=48 (local.get $7))) (i32.const 65535))) (i32.shr_u (local.get $3) (i32.const 16))) (i32.const 2)))) (local.get $10)) (local.get $11)))
   (local.set $12 (if (result v128) (i32.ge_s (local.get $13) (i32.const 4)) (then (f32x4.add (local.get $12) (f32x4.mul (v128.load (local.get $14)) (v128.load (local.get $3))))) (else (f32x4.add (local.get $12) (f32x4.mul (block $15 (result v128) (if (i32.eq (local.get $13) (i32.const 1)) (then (br $15 (v128.load32_zero (local.get $14))))) (drop (br_if $15 (local.tee $12 (v128.load64_zero (local.get $14))) (i32.eq (local.get $13) (i32.const 2)))) (v128.load32_lane 2 (i32.add (local.get $14) (i32.const 8)) (local.get $12))) (block $16 (result v128) (if (i32.eq (local.get $13) (i32.const 1)) (then (br $16 (v128.load32_zero (local.get $3))))) (drop (br_if $16 (local.tee $12 (v128.load64_zero (local.get $3))) (i32.eq (local.get $13) (i32.const 2)))) (v128.load32_lane 2 (i32.add (local.get $3) (i32.const 8)) (local.get $12))))))))
   (local.set $1 (i32.add (local.get $1) (i32.const 1)))
   (local.set $14 (i32.add (local.get $14) (local.get $17)))
   (br $0))))

;; elementwise addFlat
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (v128.store (local.get $2) (f32x4.add (v128.load (local.get $3)) (v128.load (local.get $4))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $3 (i32.add (local.get $3) (i32.const 16)))
   (local.set $4 (i32.add (local.get $4) (i32.const 16)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (br $0))))

;; elementwise addFlat
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 8))
  (then
   (v128.store (local.get $2) (f32x4.add (v128.load (local.get $3)) (v128.load (local.get $4))))
   (v128.store offset=16 (local.get $2) (f32x4.add (v128.load offset=16 (local.get $3)) (v128.load offset=16 (local.get $4))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 8)))
   (local.set $3 (i32.add (local.get $3) (i32.const 32)))
   (local.set $4 (i32.add (local.get $4) (i32.const 32)))
   (local.set $2 (i32.add (local.get $2) (i32.const 32)))
   (br $0))))

;; elementwise addRows
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (v128.store (local.get $2) (f32x4.add (v128.load (local.get $3)) (f32x4.mul (v128.load (local.get $4)) (v128.load (local.get $5)))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $3 (i32.add (local.get $3) (i32.const 16)))
   (local.set $5 (i32.add (local.get $5) (i32.const 16)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (local.set $4 (i32.add (local.get $4) (i32.const 16)))
   (br $0))))

;; elementwise addScaled
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (v128.store (local.get $2) (f32x4.add (v128.load (local.get $3)) (f32x4.mul (local.get $4) (v128.load (local.get $5)))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $3 (i32.add (local.get $3) (i32.const 16)))
   (local.set $5 (i32.add (local.get $5) (i32.const 16)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (br $0))))

;; elementwise affineFlat
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (v128.store (local.get $2) (f32x4.add (local.get $3) (f32x4.mul (local.get $4) (v128.load (local.get $5)))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $5 (i32.add (local.get $5) (i32.const 16)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (br $0))))

;; elementwise affineRows
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (v128.store (local.get $2) (f32x4.add (if (result v128) (local.get $3) (then (v128.load (local.get $4))) (else (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000))) (f32x4.mul (v128.load (local.get $5)) (v128.load (local.get $6)))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $6 (i32.add (local.get $6) (i32.const 16)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (local.set $5 (i32.add (local.get $5) (i32.const 16)))
   (local.set $4 (i32.add (local.get $4) (i32.const 16)))
   (br $0))))

;; elementwise affineRows
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 8))
  (then
   (v128.store (local.get $2) (f32x4.add (v128.load (local.get $3)) (f32x4.mul (v128.load (local.get $4)) (v128.load (local.get $5)))))
   (v128.store offset=16 (local.get $2) (f32x4.add (v128.load offset=16 (local.get $3)) (f32x4.mul (v128.load offset=16 (local.get $4)) (v128.load offset=16 (local.get $5)))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 8)))
   (local.set $5 (i32.add (local.get $5) (i32.const 32)))
   (local.set $2 (i32.add (local.get $2) (i32.const 32)))
   (local.set $4 (i32.add (local.get $4) (i32.const 32)))
   (local.set $3 (i32.add (local.get $3) (i32.const 32)))
   (br $0))))

;; elementwise glu
(loop $0
 (if
  (i32.gt_s (local.get $1) (i32.const 0))
  (then
   (local.set $2 (i32.add (local.get $3) (local.get $4)))
   (local.set $5 (f32x4.div (if (result v128) (i32.ge_s (local.get $1) (i32.const 4)) (then (v128.load (local.get $3))) (else (block $6 (result v128) (if (i32.eq (local.get $1) (i32.const 1)) (then (br $6 (v128.load32_zero (local.get $3))))) (drop (br_if $6 (local.tee $5 (v128.load64_zero (local.get $3))) (i32.eq (local.get $1) (i32.const 2)))) (v128.load32_lane 2 (i32.add (local.get $3) (i32.const 8)) (local.get $5))))) (block (result v128) (local.set $7 (f32x4.add (local.tee $5 (f32x4.pmin (f32x4.pmax (f32x4.mul (if (result v128) (i32.ge_s (local.get $1) (i32.const 4)) (then (v128.load (local.get $2))) (else (block $8 (result v128) (if (i32.eq (local.get $1) (i32.const 1)) (then (br $8 (v128.load32_zero (local.get $2))))) (drop (br_if $8 (local.tee $5 (v128.load64_zero (local.get $2))) (i32.eq (local.get $1) (i32.const 2)))) (v128.load32_lane 2 (i32.add (local.get $2) (i32.const 8)) (local.get $5))))) (v128.load32_splat (i32.const 1100))) (v128.load32_splat (i32.const 1196))) (v128.load32_splat (i32.const 1200)))) (local.tee $9 (v128.load32_splat (i32.const 1096))))) (f32x4.add (local.tee $10 (v128.load32_splat (i32.const 1132))) (i32x4.add (f32x4.add (local.get $10) (f32x4.mul (f32x4.add (v128.load32_splat (i32.const 1204)) (f32x4.mul (f32x4.add (v128.load32_splat (i32.const 1208)) (f32x4.mul (f32x4.add (v128.load32_splat (i32.const 1212)) (f32x4.mul (f32x4.add (v128.load32_splat (i32.const 1216)) (f32x4.mul (v128.load32_splat (i32.const 1220)) (local.tee $5 (f32x4.sub (local.get $5) (f32x4.sub (local.get $7) (local.get $9)))))) (local.get $5))) (local.get $5))) (local.get $5))) (local.get $5))) (i32x4.shl (local.get $7) (i32.const 23)))))))
   (if
    (i32.ge_s (local.get $1) (i32.const 4))
    (then
     (v128.store (local.get $11) (local.get $5)))
    (else
     (block $12
      (if
       (i32.eq (local.get $1) (i32.const 1))
       (then
        (v128.store32_lane 0 (local.get $11) (local.get $5))
        (br $12)))
      (v128.store64_lane 0 (local.get $11) (local.get $5))
      (if
       (i32.eq (local.get $1) (i32.const 3))
       (then
        (v128.store32_lane 2 (i32.add (local.get $11) (i32.const 8)) (local.get $5)))))))
   (local.set $3 (i32.add (local.tee $2 (i32.shl (select (i32.const 4) (local.get $1) (i32.ge_s (local.get $1) (i32.const 4))) (i32.const 2))) (local.get $3)))
   (local.set $11 (i32.add (local.get $11) (local.get $2)))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (br $0))))

;; elementwise glu
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (f32x4.pmin (f32x4.pmax (f32x4.mul (v128.load (local.tee $4 (i32.add (local.get $5) (local.get $6)))) (local.tee $7 (v128.load32_splat (i32.const 1100)))) (local.tee $8 (v128.load32_splat (i32.const 1196)))) (local.tee $9 (v128.load32_splat (i32.const 1200)))))
   (local.set $10 (f32x4.pmin (f32x4.pmax (f32x4.mul (v128.load (i32.add (local.get $4) (local.tee $11 (i32.shl (local.get $6) (i32.const 1))))) (local.get $7)) (local.get $8)) (local.get $9)))
   (local.set $12 (f32x4.sub (local.get $3) (f32x4.sub (local.tee $13 (f32x4.add (local.get $3) (local.tee $3 (v128.load32_splat (i32.const 1096))))) (local.get $3))))
   (local.set $14 (f32x4.add (local.tee $15 (f32x4.pmin (f32x4.pmax (f32x4.mul (v128.load (i32.add (local.tee $16 (i32.shl (local.get $11) (i32.const 1))) (local.get $4))) (local.get $7)) (local.get $8)) (local.get $9))) (local.get $3)))
   (local.set $17 (f32x4.add (local.tee $18 (f32x4.pmin (f32x4.pmax (f32x4.mul (v128.load (i32.add (local.get $4) (local.tee $19 (i32.mul (local.get $11) (i32.const 3))))) (local.get $7)) (local.get $8)) (local.get $9))) (local.get $3)))
   (v128.store (local.get $1) (f32x4.div (v128.load (local.get $5)) (f32x4.add (local.tee $7 (v128.load32_splat (i32.const 1132))) (i32x4.add (f32x4.add (local.get $7) (f32x4.mul (f32x4.add (local.tee $8 (v128.load32_splat (i32.const 1204))) (f32x4.mul (f32x4.add (local.tee $9 (v128.load32_splat (i32.const 1208))) (f32x4.mul (f32x4.add (local.tee $20 (v128.load32_splat (i32.const 1212))) (f32x4.mul (f32x4.add (local.tee $21 (v128.load32_splat (i32.const 1216))) (f32x4.mul (local.tee $22 (v128.load32_splat (i32.const 1220))) (local.get $12))) (local.get $12))) (local.get $12))) (local.get $12))) (local.get $12))) (i32x4.shl (local.get $13) (i32.const 23))))))
   (v128.store (i32.add (local.get $1) (local.get $6)) (f32x4.div (v128.load (i32.add (local.get $11) (local.get $5))) (f32x4.add (local.get $7) (i32x4.add (f32x4.add (local.get $7) (f32x4.mul (f32x4.add (local.get $8) (f32x4.mul (f32x4.add (local.get $9) (f32x4.mul (f32x4.add (local.get $20) (f32x4.mul (f32x4.add (local.get $21) (f32x4.mul (local.get $22) (local.tee $12 (f32x4.sub (local.get $10) (f32x4.sub (local.tee $10 (f32x4.add (local.get $10) (local.get $3))) (local.get $3)))))) (local.get $12))) (local.get $12))) (local.get $12))) (local.get $12))) (i32x4.shl (local.get $10) (i32.const 23))))))
   (v128.store (i32.add (local.get $11) (local.get $1)) (f32x4.div (v128.load (i32.add (local.get $5) (local.get $16))) (f32x4.add (local.get $7) (i32x4.add (f32x4.add (local.get $7) (f32x4.mul (f32x4.add (local.get $8) (f32x4.mul (f32x4.add (local.get $9) (f32x4.mul (f32x4.add (local.get $20) (f32x4.mul (f32x4.add (local.get $21) (f32x4.mul (local.get $22) (local.tee $12 (f32x4.sub (local.get $15) (f32x4.sub (local.get $14) (local.get $3)))))) (local.get $12))) (local.get $12))) (local.get $12))) (local.get $12))) (i32x4.shl (local.get $14) (i32.const 23))))))
   (v128.store (i32.add (local.get $1) (i32.mul (local.get $6) (i32.const 3))) (f32x4.div (v128.load (i32.add (local.get $5) (local.get $19))) (f32x4.add (local.get $7) (i32x4.add (f32x4.add (local.get $7) (f32x4.mul (f32x4.add (local.get $8) (f32x4.mul (f32x4.add (local.get $9) (f32x4.mul (f32x4.add (local.get $20) (f32x4.mul (f32x4.add (local.get $21) (f32x4.mul (local.get $22) (local.tee $3 (f32x4.sub (local.get $18) (f32x4.sub (local.get $17) (local.get $3)))))) (local.get $3))) (local.get $3))) (local.get $3))) (local.get $3))) (i32x4.shl (local.get $17) (i32.const 23))))))
   (local.set $5 (i32.add (local.get $5) (i32.const 16)))
   (local.set $1 (i32.add (local.get $1) (i32.const 16)))
   (br $0))))

;; elementwise joinThree
(loop $0
 (if
  (i32.gt_s (local.get $1) (i32.const 0))
  (then
   (local.set $2 (v128.load offset=16 (local.get $3)))
   (v128.store (local.get $4) (i8x16.shuffle 0 1 2 3 16 17 18 19 20 21 22 23 4 5 6 7 (local.tee $5 (v128.load (local.get $6))) (local.tee $7 (v128.load (local.get $3)))))
   (v128.store offset=16 (local.get $4) (i8x16.shuffle 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 (local.get $7) (i8x16.shuffle 8 9 10 11 16 17 18 19 8 9 10 11 16 17 18 19 (local.get $5) (local.get $2))))
   (v128.store offset=32 (local.get $4) (i8x16.shuffle 20 21 22 23 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $5) (local.get $2)))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $6 (i32.add (local.get $6) (i32.const 16)))
   (local.set $3 (i32.add (local.get $3) (i32.const 32)))
   (local.set $4 (i32.add (local.get $4) (i32.const 48)))
   (br $0))))

;; elementwise mul
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (v128.store (local.get $2) (f32x4.mul (v128.load (local.get $3)) (v128.load (local.get $4))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $3 (i32.add (local.get $3) (i32.const 16)))
   (local.set $4 (i32.add (local.get $4) (i32.const 16)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (br $0))))

;; frame addUp
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (v128.store (local.get $2) (f32x4.add (v128.load (local.get $3)) (v128.load (local.get $4))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (local.set $3 (i32.add (local.get $3) (i32.const 16)))
   (local.set $4 (i32.add (local.get $4) (i32.const 16)))
   (br $0))))

;; lanes storeFour
(loop $0
 (if
  (i32.lt_u (local.get $1) (i32.const 1088))
  (then
   (local.set $2 (v128.load (local.get $1)))
   (if
    (i32.ge_s (local.get $3) (i32.const 4))
    (then
     (v128.store (local.get $4) (local.get $2)))
    (else
     (block $5
      (if
       (i32.eq (local.get $3) (i32.const 1))
       (then
        (v128.store32_lane 0 (local.get $4) (local.get $2))
        (br $5)))
      (v128.store64_lane 0 (local.get $4) (local.get $2))
      (if
       (i32.eq (local.get $3) (i32.const 3))
       (then
        (v128.store32_lane 2 (i32.add (local.get $4) (i32.const 8)) (local.get $2)))))))
   (local.set $1 (i32.add (local.get $1) (i32.const 16)))
   (local.set $4 (i32.add (local.get $4) (local.get $6)))
   (br $0))))

;; lanes storeFour
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (v128.load (local.get $1)))
   (if
    (i32.ge_s (local.get $4) (i32.const 4))
    (then
     (v128.store (local.get $5) (local.get $3)))
    (else
     (block $6
      (if
       (i32.eq (local.get $4) (i32.const 1))
       (then
        (v128.store32_lane 0 (local.get $5) (local.get $3))
        (br $6)))
      (v128.store64_lane 0 (local.get $5) (local.get $3))
      (if
       (i32.eq (local.get $4) (i32.const 3))
       (then
        (v128.store32_lane 2 (i32.add (local.get $5) (i32.const 8)) (local.get $3)))))))
   (local.set $1 (i32.add (local.get $1) (i32.const 16)))
   (local.set $5 (i32.add (local.get $5) (local.get $7)))
   (br $0))))

;; lanes storeFour
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (v128.load (local.get $1)))
   (if
    (i32.ge_s (local.get $4) (i32.const 4))
    (then
     (v128.store (local.get $5) (local.get $3)))
    (else
     (block $6
      (if
       (i32.eq (local.get $4) (i32.const 1))
       (then
        (v128.store32_lane 0 (local.get $5) (local.get $3))
        (br $6)))
      (v128.store64_lane 0 (local.get $5) (local.get $3))
      (if
       (i32.eq (local.get $4) (i32.const 3))
       (then
        (v128.store32_lane 2 (i32.add (local.get $5) (i32.const 8)) (local.get $3)))))))
   (local.set $1 (i32.add (local.get $1) (i32.const 16)))
   (local.set $5 (i32.add (local.get $7) (local.get $5)))
   (br $0))))

;; linear.f32 tile1x1
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (f32x4.add (local.get $3) (f32x4.mul (v128.load (local.get $4)) (v128.load32_splat (local.get $1)))))
   (local.set $4 (i32.add (local.get $4) (i32.const 16)))
   (local.set $1 (i32.add (local.get $1) (i32.const 4)))
   (br $0))))

;; linear.f32 tile1x4
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (f32x4.add (local.get $3) (f32x4.mul (local.tee $4 (v128.load (local.get $5))) (v128.load32_splat (local.get $1)))))
   (local.set $6 (f32x4.add (local.get $6) (f32x4.mul (local.get $4) (v128.load32_splat (local.get $7)))))
   (local.set $8 (f32x4.add (local.get $8) (f32x4.mul (local.get $4) (v128.load32_splat (local.get $9)))))
   (local.set $10 (f32x4.add (local.get $10) (f32x4.mul (local.get $4) (v128.load32_splat (local.get $11)))))
   (local.set $5 (i32.add (local.get $5) (i32.const 16)))
   (local.set $1 (i32.add (local.get $1) (i32.const 4)))
   (local.set $7 (i32.add (local.get $7) (i32.const 4)))
   (local.set $9 (i32.add (local.get $9) (i32.const 4)))
   (local.set $11 (i32.add (local.get $11) (i32.const 4)))
   (br $0))))

;; linear.f32 tile2x4
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (f32x4.add (local.get $3) (f32x4.mul (local.tee $4 (v128.load (local.get $5))) (local.tee $6 (v128.load32_splat (local.get $1))))))
   (local.set $7 (f32x4.add (local.get $7) (f32x4.mul (local.tee $8 (v128.load (local.get $9))) (local.get $6))))
   (local.set $10 (f32x4.add (local.get $10) (f32x4.mul (local.get $4) (local.tee $6 (v128.load32_splat (local.get $11))))))
   (local.set $12 (f32x4.add (local.get $12) (f32x4.mul (local.get $8) (local.get $6))))
   (local.set $13 (f32x4.add (local.get $13) (f32x4.mul (local.get $4) (local.tee $6 (v128.load32_splat (local.get $14))))))
   (local.set $15 (f32x4.add (local.get $15) (f32x4.mul (local.get $8) (local.get $6))))
   (local.set $16 (f32x4.add (local.get $16) (f32x4.mul (local.get $4) (local.tee $4 (v128.load32_splat (local.get $17))))))
   (local.set $18 (f32x4.add (local.get $18) (f32x4.mul (local.get $8) (local.get $4))))
   (local.set $5 (i32.add (local.get $5) (i32.const 16)))
   (local.set $9 (i32.add (local.get $9) (i32.const 16)))
   (local.set $1 (i32.add (local.get $1) (i32.const 4)))
   (local.set $11 (i32.add (local.get $11) (i32.const 4)))
   (local.set $14 (i32.add (local.get $14) (i32.const 4)))
   (local.set $17 (i32.add (local.get $17) (i32.const 4)))
   (br $0))))

;; linear.f32 tile4x1
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (f32x4.add (local.get $3) (f32x4.mul (v128.load (local.get $4)) (local.tee $5 (v128.load32_splat (local.get $1))))))
   (local.set $6 (f32x4.add (local.get $6) (f32x4.mul (v128.load (local.get $7)) (local.get $5))))
   (local.set $8 (f32x4.add (local.get $8) (f32x4.mul (v128.load (local.get $9)) (local.get $5))))
   (local.set $10 (f32x4.add (local.get $10) (f32x4.mul (v128.load (local.get $11)) (local.get $5))))
   (local.set $4 (i32.add (local.get $4) (i32.const 16)))
   (local.set $7 (i32.add (local.get $7) (i32.const 16)))
   (local.set $9 (i32.add (local.get $9) (i32.const 16)))
   (local.set $11 (i32.add (local.get $11) (i32.const 16)))
   (local.set $1 (i32.add (local.get $1) (i32.const 4)))
   (br $0))))

;; linear.i4 tile1x1
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (i32x4.add (local.get $3) (i32x4.dot_i16x8_s (i16x8.shr_s (local.get $4) (i32.const 12)) (v128.load32_splat (local.get $1)))))
   (local.set $4 (i16x8.shl (local.get $4) (i32.const 4)))
   (local.set $1 (i32.add (local.get $1) (i32.const 4)))
   (br $0))))

;; linear.i4 tile2x4
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (i32x4.add (local.get $3) (i32x4.dot_i16x8_s (local.tee $4 (v128.load (local.get $5))) (local.tee $6 (v128.load32_splat (local.get $1))))))
   (local.set $7 (i32x4.add (local.get $7) (i32x4.dot_i16x8_s (local.tee $8 (v128.load (local.get $9))) (local.get $6))))
   (local.set $10 (i32x4.add (local.get $10) (i32x4.dot_i16x8_s (local.get $4) (local.tee $6 (v128.load32_splat (local.get $11))))))
   (local.set $12 (i32x4.add (local.get $12) (i32x4.dot_i16x8_s (local.get $8) (local.get $6))))
   (local.set $13 (i32x4.add (local.get $13) (i32x4.dot_i16x8_s (local.get $4) (local.tee $6 (v128.load32_splat (local.get $14))))))
   (local.set $15 (i32x4.add (local.get $15) (i32x4.dot_i16x8_s (local.get $8) (local.get $6))))
   (local.set $16 (i32x4.add (local.get $16) (i32x4.dot_i16x8_s (local.get $4) (local.tee $4 (v128.load32_splat (local.get $17))))))
   (local.set $18 (i32x4.add (local.get $18) (i32x4.dot_i16x8_s (local.get $8) (local.get $4))))
   (local.set $5 (i32.add (local.get $5) (i32.const 16)))
   (local.set $9 (i32.add (local.get $9) (i32.const 16)))
   (local.set $1 (i32.add (local.get $1) (i32.const 4)))
   (local.set $11 (i32.add (local.get $11) (i32.const 4)))
   (local.set $14 (i32.add (local.get $14) (i32.const 4)))
   (local.set $17 (i32.add (local.get $17) (i32.const 4)))
   (br $0))))

;; linear.i4 widen
(loop $0
 (if
  (i32.lt_s (local.get $1) (local.get $2))
  (then
   (v128.store (local.get $3) (i16x8.shr_s (local.tee $4 (v128.load (local.get $5))) (i32.const 12)))
   (v128.store offset=16 (local.get $3) (i16x8.shr_s (i16x8.shl (local.get $4) (i32.const 4)) (i32.const 12)))
   (v128.store offset=32 (local.get $3) (i16x8.shr_s (i16x8.shl (local.get $4) (i32.const 8)) (i32.const 12)))
   (v128.store offset=48 (local.get $3) (i16x8.shr_s (i16x8.shl (local.get $4) (i32.const 12)) (i32.const 12)))
   (local.set $1 (i32.add (local.get $1) (i32.const 1)))
   (local.set $5 (i32.add (local.get $5) (i32.const 16)))
   (local.set $3 (i32.sub (local.get $3) (i32.const -64)))
   (br $0))))

;; linear.i8 spread
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (v128.store (local.get $2) (local.get $3))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (br $0))))

;; linear.i8 tile1x1
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (i32x4.add (local.get $3) (i32x4.dot_i16x8_s (v128.load8x8_s align=1 (local.get $4)) (v128.load32_splat (local.get $1)))))
   (local.set $4 (i32.add (local.get $4) (i32.const 8)))
   (local.set $1 (i32.add (local.get $1) (i32.const 4)))
   (br $0))))

;; linear.i8 tile1x4
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (i32x4.add (local.get $3) (i32x4.dot_i16x8_s (local.tee $4 (v128.load8x8_s align=1 (local.get $5))) (v128.load32_splat (local.get $1)))))
   (local.set $6 (i32x4.add (local.get $6) (i32x4.dot_i16x8_s (local.get $4) (v128.load32_splat (local.get $7)))))
   (local.set $8 (i32x4.add (local.get $8) (i32x4.dot_i16x8_s (local.get $4) (v128.load32_splat (local.get $9)))))
   (local.set $10 (i32x4.add (local.get $10) (i32x4.dot_i16x8_s (local.get $4) (v128.load32_splat (local.get $11)))))
   (local.set $5 (i32.add (local.get $5) (i32.const 8)))
   (local.set $1 (i32.add (local.get $1) (i32.const 4)))
   (local.set $7 (i32.add (local.get $7) (i32.const 4)))
   (local.set $9 (i32.add (local.get $9) (i32.const 4)))
   (local.set $11 (i32.add (local.get $11) (i32.const 4)))
   (br $0))))

;; linear.i8 tile2x1
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (i32x4.add (local.get $3) (i32x4.dot_i16x8_s (v128.load8x8_s align=1 (local.get $4)) (local.tee $5 (v128.load32_splat (local.get $1))))))
   (local.set $6 (i32x4.add (local.get $6) (i32x4.dot_i16x8_s (v128.load8x8_s align=1 (local.get $7)) (local.get $5))))
   (local.set $4 (i32.add (local.get $4) (i32.const 8)))
   (local.set $7 (i32.add (local.get $7) (i32.const 8)))
   (local.set $1 (i32.add (local.get $1) (i32.const 4)))
   (br $0))))

;; linear.i8 tile2x4
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (i32x4.add (local.get $3) (i32x4.dot_i16x8_s (local.tee $4 (v128.load8x8_s align=1 (local.get $5))) (local.tee $6 (v128.load32_splat (local.get $1))))))
   (local.set $7 (i32x4.add (local.get $7) (i32x4.dot_i16x8_s (local.tee $8 (v128.load8x8_s align=1 (local.get $9))) (local.get $6))))
   (local.set $10 (i32x4.add (local.get $10) (i32x4.dot_i16x8_s (local.get $4) (local.tee $6 (v128.load32_splat (local.get $11))))))
   (local.set $12 (i32x4.add (local.get $12) (i32x4.dot_i16x8_s (local.get $8) (local.get $6))))
   (local.set $13 (i32x4.add (local.get $13) (i32x4.dot_i16x8_s (local.get $4) (local.tee $6 (v128.load32_splat (local.get $14))))))
   (local.set $15 (i32x4.add (local.get $15) (i32x4.dot_i16x8_s (local.get $8) (local.get $6))))
   (local.set $16 (i32x4.add (local.get $16) (i32x4.dot_i16x8_s (local.get $4) (local.tee $4 (v128.load32_splat (local.get $17))))))
   (local.set $18 (i32x4.add (local.get $18) (i32x4.dot_i16x8_s (local.get $8) (local.get $4))))
   (local.set $5 (i32.add (local.get $5) (i32.const 8)))
   (local.set $9 (i32.add (local.get $9) (i32.const 8)))
   (local.set $1 (i32.add (local.get $1) (i32.const 4)))
   (local.set $11 (i32.add (local.get $11) (i32.const 4)))
   (local.set $14 (i32.add (local.get $14) (i32.const 4)))
   (local.set $17 (i32.add (local.get $17) (i32.const 4)))
   (br $0))))

;; mix part
(loop $0
 (if
  (i32.lt_s (local.get $1) (local.get $2))
  (then
   (local.set $3 (f32x4.add (local.get $3) (f32x4.mul (block $4 (result v128) (if (i32.eq (local.get $5) (i32.const 1)) (then (br $4 (v128.load32_zero (local.get $6))))) (drop (br_if $4 (local.tee $3 (v128.load64_zero (local.get $6))) (i32.eq (local.get $5) (i32.const 2)))) (v128.load32_lane 2 (i32.add (local.get $6) (i32.const 8)) (local.get $3))) (v128.load32_splat (local.get $7)))))
   (local.set $1 (i32.add (local.get $1) (i32.const 1)))
   (local.set $6 (i32.add (local.get $6) (local.get $8)))
   (local.set $7 (i32.add (local.get $7) (i32.const 4)))
   (br $0))))

;; mix tile1x1
(loop $0
 (if
  (i32.lt_s (local.get $1) (local.get $2))
  (then
   (local.set $3 (f32x4.add (local.get $3) (f32x4.mul (v128.load (local.get $4)) (v128.load32_splat (local.get $5)))))
   (local.set $1 (i32.add (local.get $1) (i32.const 1)))
   (local.set $4 (i32.add (local.get $4) (local.get $6)))
   (local.set $5 (i32.add (local.get $5) (i32.const 4)))
   (br $0))))

;; mix tile4x1
(loop $0
 (if
  (i32.lt_s (local.get $1) (local.get $2))
  (then
   (local.set $3 (f32x4.add (local.get $3) (f32x4.mul (local.tee $4 (v128.load (local.get $5))) (v128.load32_splat (local.get $6)))))
   (local.set $7 (f32x4.add (local.get $7) (f32x4.mul (local.get $4) (v128.load32_splat (local.get $8)))))
   (local.set $9 (f32x4.add (local.get $9) (f32x4.mul (local.get $4) (v128.load32_splat (local.get $10)))))
   (local.set $11 (f32x4.add (local.get $11) (f32x4.mul (local.get $4) (v128.load32_splat (local.get $12)))))
   (local.set $5 (i32.add (local.get $5) (local.get $13)))
   (local.set $6 (i32.add (local.get $6) (i32.const 4)))
   (local.set $8 (i32.add (local.get $8) (i32.const 4)))
   (local.set $10 (i32.add (local.get $10) (i32.const 4)))
   (local.set $12 (i32.add (local.get $12) (i32.const 4)))
   (local.set $1 (i32.add (local.get $1) (i32.const 1)))
   (br $0))))

;; mix tile4x2
(loop $0
 (if
  (i32.lt_s (local.get $1) (local.get $2))
  (then
   (local.set $3 (f32x4.add (local.get $3) (f32x4.mul (local.tee $4 (v128.load (local.get $5))) (local.tee $6 (v128.load32_splat (local.get $7))))))
   (local.set $8 (f32x4.add (local.get $8) (f32x4.mul (local.tee $9 (v128.load offset=16 (local.get $5))) (local.get $6))))
   (local.set $10 (f32x4.add (local.get $10) (f32x4.mul (local.get $4) (local.tee $6 (v128.load32_splat (local.get $11))))))
   (local.set $12 (f32x4.add (local.get $12) (f32x4.mul (local.get $9) (local.get $6))))
   (local.set $13 (f32x4.add (local.get $13) (f32x4.mul (local.get $4) (local.tee $6 (v128.load32_splat (local.get $14))))))
   (local.set $15 (f32x4.add (local.get $15) (f32x4.mul (local.get $9) (local.get $6))))
   (local.set $16 (f32x4.add (local.get $16) (f32x4.mul (local.get $4) (local.tee $4 (v128.load32_splat (local.get $17))))))
   (local.set $18 (f32x4.add (local.get $18) (f32x4.mul (local.get $9) (local.get $4))))
   (local.set $5 (i32.add (local.get $5) (local.get $19)))
   (local.set $7 (i32.add (local.get $7) (i32.const 4)))
   (local.set $11 (i32.add (local.get $11) (i32.const 4)))
   (local.set $14 (i32.add (local.get $14) (i32.const 4)))
   (local.set $17 (i32.add (local.get $17) (i32.const 4)))
   (local.set $1 (i32.add (local.get $1) (i32.const 1)))
   (br $0))))

;; mix.i8 tile1x4
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (i32x4.add (local.get $3) (i32x4.dot_i16x8_s (local.tee $4 (v128.load8x8_s align=1 (local.get $1))) (v128.load32_splat (local.get $5)))))
   (local.set $6 (i32x4.add (local.get $6) (i32x4.dot_i16x8_s (local.get $4) (v128.load32_splat offset=4 (local.get $5)))))
   (local.set $7 (i32x4.add (local.get $7) (i32x4.dot_i16x8_s (local.get $4) (v128.load32_splat offset=8 (local.get $5)))))
   (local.set $8 (i32x4.add (local.get $8) (i32x4.dot_i16x8_s (local.get $4) (v128.load32_splat offset=12 (local.get $5)))))
   (local.set $1 (i32.add (local.get $1) (i32.const 8)))
   (local.set $5 (i32.add (local.get $9) (local.get $5)))
   (br $0))))

;; mix.i8 tile2x4
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (i32x4.add (local.get $3) (i32x4.dot_i16x8_s (local.tee $4 (v128.load8x8_s align=1 (local.get $1))) (local.tee $5 (v128.load32_splat (local.get $6))))))
   (local.set $7 (i32x4.add (local.get $7) (i32x4.dot_i16x8_s (local.tee $8 (v128.load8x8_s align=1 (local.get $9))) (local.get $5))))
   (local.set $10 (i32x4.add (local.get $10) (i32x4.dot_i16x8_s (local.get $4) (local.tee $5 (v128.load32_splat offset=4 (local.get $6))))))
   (local.set $11 (i32x4.add (local.get $11) (i32x4.dot_i16x8_s (local.get $8) (local.get $5))))
   (local.set $12 (i32x4.add (local.get $12) (i32x4.dot_i16x8_s (local.get $4) (local.tee $5 (v128.load32_splat offset=8 (local.get $6))))))
   (local.set $13 (i32x4.add (local.get $13) (i32x4.dot_i16x8_s (local.get $8) (local.get $5))))
   (local.set $14 (i32x4.add (local.get $14) (i32x4.dot_i16x8_s (local.get $4) (local.tee $4 (v128.load32_splat offset=12 (local.get $6))))))
   (local.set $15 (i32x4.add (local.get $15) (i32x4.dot_i16x8_s (local.get $8) (local.get $4))))
   (local.set $1 (i32.add (local.get $1) (i32.const 8)))
   (local.set $9 (i32.add (local.get $9) (i32.const 8)))
   (local.set $6 (i32.add (local.get $16) (local.get $6)))
   (br $0))))

;; norm centre
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (v128.store (local.get $2) (local.tee $3 (f32x4.sub (v128.load (local.get $4)) (local.get $5))))
   (local.set $6 (f32x4.add (local.get $6) (f32x4.mul (local.get $3) (local.get $3))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $4 (i32.add (local.get $4) (i32.const 16)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (br $0))))

;; norm finishPair
(loop $0
 (if
  (i32.ge_u (local.get $1) (i32.const 32))
  (then
   (v128.store (local.get $2) (f32x4.add (v128.load (local.get $3)) (f32x4.mul (f32x4.mul (f32x4.sub (v128.load (local.get $4)) (local.get $5)) (local.get $6)) (v128.load (local.get $7)))))
   (v128.store offset=16 (local.get $2) (f32x4.add (v128.load offset=16 (local.get $3)) (f32x4.mul (f32x4.mul (f32x4.sub (v128.load offset=16 (local.get $4)) (local.get $5)) (local.get $6)) (v128.load offset=16 (local.get $7)))))
   (v128.store (local.tee $8 (i32.add (local.get $2) (local.get $9))) (f32x4.add (v128.load (local.tee $10 (i32.add (local.get $11) (local.get $3)))) (f32x4.mul (f32x4.mul (f32x4.sub (v128.load (local.tee $12 (i32.add (local.get $4) (local.get $9)))) (local.get $13)) (local.get $14)) (v128.load (local.tee $15 (i32.add (local.get $11) (local.get $7)))))))
   (v128.store offset=16 (local.get $8) (f32x4.add (v128.load offset=16 (local.get $10)) (f32x4.mul (f32x4.mul (f32x4.sub (v128.load offset=16 (local.get $12)) (local.get $13)) (local.get $14)) (v128.load offset=16 (local.get $15)))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 32)))
   (local.set $4 (i32.add (local.get $4) (i32.const 32)))
   (local.set $2 (i32.add (local.get $2) (i32.const 32)))
   (local.set $7 (i32.add (local.get $7) (i32.const 32)))
   (local.set $3 (i32.add (local.get $3) (i32.const 32)))
   (br $0))))

;; norm meansOf
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (f32x4.add (local.get $3) (v128.load (local.get $1))))
   (local.set $4 (f32x4.add (local.get $4) (v128.load (i32.add (local.get $1) (local.get $5)))))
   (local.set $6 (f32x4.add (local.get $6) (v128.load (i32.add (local.get $1) (i32.shl (local.get $5) (i32.const 1))))))
   (local.set $7 (f32x4.add (local.get $7) (v128.load (i32.add (local.get $1) (i32.mul (local.get $5) (i32.const 3))))))
   (local.set $1 (i32.add (local.get $1) (i32.const 16)))
   (br $0))))

;; norm scale
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (v128.store (local.get $2) (f32x4.add (v128.load (local.get $3)) (f32x4.mul (f32x4.mul (v128.load (local.get $2)) (local.get $4)) (v128.load (local.get $5)))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (local.set $5 (i32.add (local.get $5) (i32.const 16)))
   (local.set $3 (i32.add (local.get $3) (i32.const 16)))
   (br $0))))

;; norm spreadsOf
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (f32x4.add (local.get $3) (f32x4.mul (local.tee $3 (f32x4.sub (v128.load (local.get $1)) (local.get $4))) (local.get $3))))
   (local.set $5 (f32x4.add (local.get $5) (f32x4.mul (local.tee $5 (f32x4.sub (v128.load (i32.add (local.get $1) (local.get $6))) (local.get $7))) (local.get $5))))
   (local.set $8 (f32x4.add (local.get $8) (f32x4.mul (local.tee $8 (f32x4.sub (v128.load (i32.add (local.get $1) (i32.shl (local.get $6) (i32.const 1)))) (local.get $9))) (local.get $8))))
   (local.set $10 (f32x4.add (local.get $10) (f32x4.mul (local.tee $10 (f32x4.sub (v128.load (i32.add (local.get $1) (i32.mul (local.get $6) (i32.const 3)))) (local.get $11))) (local.get $10))))
   (local.set $1 (i32.add (local.get $1) (i32.const 16)))
   (br $0))))

;; norm sum
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (local.set $2 (f32x4.add (local.get $2) (v128.load (local.get $3))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $3 (i32.add (local.get $3) (i32.const 16)))
   (br $0))))

;; quantise peakOf
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 16))
  (then
   (local.set $2 (f32x4.pmax (local.get $2) (v128.and (v128.load (local.get $3)) (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff))))
   (local.set $4 (f32x4.pmax (local.get $4) (v128.and (v128.load offset=16 (local.get $3)) (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff))))
   (local.set $5 (f32x4.pmax (local.get $5) (v128.and (v128.load offset=32 (local.get $3)) (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff))))
   (local.set $6 (f32x4.pmax (local.get $6) (v128.and (v128.load offset=48 (local.get $3)) (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 16)))
   (local.set $3 (i32.sub (local.get $3) (i32.const -64)))
   (br $0))))

;; quantise peakOf
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (local.set $2 (f32x4.pmax (local.get $2) (v128.and (v128.load (local.get $3)) (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $3 (i32.add (local.get $3) (i32.const 16)))
   (br $0))))

;; quantise roundLast
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (v128.store (local.get $2) (v128.and (f32x4.add (f32x4.mul (v128.load (local.get $3)) (local.get $4)) (v128.const i32x4 0x4b400000 0x4b400000 0x4b400000 0x4b400000)) (v128.const i32x4 0x0000ffff 0x0000ffff 0x0000ffff 0x0000ffff)))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $3 (i32.add (local.get $3) (i32.const 16)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (br $0))))

;; quantise roundPair
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (v128.store (local.get $2) (v128.or (v128.and (f32x4.add (f32x4.mul (v128.load (local.get $3)) (local.get $4)) (v128.const i32x4 0x4b400000 0x4b400000 0x4b400000 0x4b400000)) (v128.const i32x4 0x0000ffff 0x0000ffff 0x0000ffff 0x0000ffff)) (i32x4.shl (f32x4.add (f32x4.mul (v128.load (local.get $5)) (local.get $4)) (v128.const i32x4 0x4b400000 0x4b400000 0x4b400000 0x4b400000)) (i32.const 16))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $3 (i32.add (local.get $3) (i32.const 16)))
   (local.set $5 (i32.add (local.get $5) (i32.const 16)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (br $0))))

;; quantise roundRow
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 8))
  (then
   (v128.store (local.get $2) (i16x8.narrow_i32x4_s (i32x4.sub (f32x4.add (f32x4.mul (v128.load (local.get $3)) (local.get $4)) (v128.const i32x4 0x4b400000 0x4b400000 0x4b400000 0x4b400000)) (v128.const i32x4 0x4b400000 0x4b400000 0x4b400000 0x4b400000)) (i32x4.sub (f32x4.add (f32x4.mul (v128.load offset=16 (local.get $3)) (local.get $4)) (v128.const i32x4 0x4b400000 0x4b400000 0x4b400000 0x4b400000)) (v128.const i32x4 0x4b400000 0x4b400000 0x4b400000 0x4b400000))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 8)))
   (local.set $3 (i32.add (local.get $3) (i32.const 32)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (br $0))))

;; quantise roundRows
(loop $0
 (if
  (i32.lt_u (i32.add (local.get $1) (i32.const 16)) (local.get $2))
  (then
   (v128.store (local.get $3) (i16x8.narrow_i32x4_s (i32x4.sub (f32x4.add (f32x4.mul (v128.load (local.get $1)) (local.get $4)) (v128.const i32x4 0x4b400000 0x4b400000 0x4b400000 0x4b400000)) (v128.const i32x4 0x4b400000 0x4b400000 0x4b400000 0x4b400000)) (i32x4.sub (f32x4.add (f32x4.mul (v128.load offset=16 (local.get $1)) (local.get $4)) (v128.const i32x4 0x4b400000 0x4b400000 0x4b400000 0x4b400000)) (v128.const i32x4 0x4b400000 0x4b400000 0x4b400000 0x4b400000))))
   (local.set $1 (i32.add (local.get $1) (i32.const 32)))
   (local.set $3 (i32.add (local.get $3) (i32.const 16)))
   (br $0))))

;; resample dot
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (f32x4.add (local.get $3) (f32x4.mul (v128.load (local.get $1)) (v128.load (local.get $4)))))
   (local.set $5 (f32x4.add (local.get $5) (f32x4.mul (v128.load offset=16 (local.get $1)) (v128.load offset=16 (local.get $4)))))
   (local.set $1 (i32.add (local.get $1) (i32.const 32)))
   (local.set $4 (i32.add (local.get $4) (i32.const 32)))
   (br $0))))

;; spectrum applyWindow
(loop $0
 (if
  (i32.lt_u (local.get $1) (i32.shl (local.get $2) (i32.const 2)))
  (then
   (v128.store (i32.add (local.get $1) (local.get $3)) (f32x4.mul (v128.load (i32.add (local.get $4) (local.get $1))) (v128.load (i32.add (local.get $1) (local.get $5)))))
   (local.set $1 (i32.add (local.get $1) (i32.const 16)))
   (br $0))))

;; spectrum compress
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (f32x4.sub (local.tee $4 (f32x4.add (f32x4.mul (local.tee $5 (f32x4.pmin (f32x4.pmax (f32x4.mul (local.get $6) (v128.load (local.tee $2 (i32.sub (local.get $2) (i32.const 16))))) (v128.load32_splat (i32.const 1088))) (v128.load32_splat (i32.const 1092)))) (v128.load32_splat (i32.const 1100))) (local.tee $3 (v128.load32_splat (i32.const 1096))))) (local.get $3)))
   (local.set $5 (f32x4.mul (local.tee $3 (f32x4.add (f32x4.add (local.get $5) (f32x4.mul (local.get $3) (v128.load32_splat (i32.const 1104)))) (f32x4.mul (local.get $3) (v128.load32_splat (i32.const 1108))))) (local.get $3)))
   (v128.store (local.tee $7 (i32.sub (local.get $7) (i32.const 32))) (f32x4.mul (v128.load (local.tee $8 (i32.sub (local.get $8) (i32.const 32)))) (i8x16.shuffle 0 1 2 3 0 1 2 3 4 5 6 7 4 5 6 7 (local.tee $3 (i32x4.add (f32x4.add (f32x4.sub (v128.load32_splat (i32.const 1132)) (local.get $3)) (f32x4.mul (local.get $5) (f32x4.add (f32x4.add (v128.load32_splat (i32.const 1112)) (f32x4.mul (v128.load32_splat (i32.const 1116)) (local.get $3))) (f32x4.mul (f32x4.add (f32x4.add (v128.load32_splat (i32.const 1120)) (f32x4.mul (v128.load32_splat (i32.const 1124)) (local.get $3))) (f32x4.mul (v128.load32_splat (i32.const 1128)) (local.get $5))) (local.get $5))))) (i32x4.shl (local.get $4) (i32.const 23)))) (local.get $3))))
   (v128.store offset=16 (local.get $7) (f32x4.mul (v128.load offset=16 (local.get $8)) (i8x16.shuffle 8 9 10 11 8 9 10 11 12 13 14 15 12 13 14 15 (local.get $3) (local.get $3))))
   (br $0))))

;; spectrum filterTap
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 2))
  (then
   (local.set $2 (f32x4.add (f32x4.mul (i8x16.shuffle 0 1 2 3 0 1 2 3 8 9 10 11 8 9 10 11 (local.tee $2 (v128.load64_lane 1 (i32.add (local.get $3) (local.get $4)) (v128.load64_zero (local.get $3)))) (local.get $2)) (local.tee $5 (v128.load (local.get $6)))) (f32x4.mul (i8x16.shuffle 4 5 6 7 4 5 6 7 12 13 14 15 12 13 14 15 (local.get $2) (local.get $2)) (v128.xor (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $5) (local.get $5)) (v128.const i32x4 0x80000000 0x00000000 0x80000000 0x00000000)))))
   (v128.store (local.get $7) (if (result v128) (local.get $8) (then (local.get $2)) (else (f32x4.add (v128.load (local.get $7)) (local.get $2)))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 2)))
   (local.set $6 (i32.add (local.get $6) (i32.const 16)))
   (local.set $7 (i32.add (local.get $7) (i32.const 16)))
   (local.set $3 (i32.add (local.get $3) (i32.shl (local.get $4) (i32.const 1))))
   (br $0))))

;; spectrum firstTwoPasses
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (f32x4.add (f32x4.mul (local.tee $4 (i8x16.shuffle 0 1 2 3 0 1 2 3 8 9 10 11 8 9 10 11 (local.tee $5 (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (v128.load (local.tee $6 (i32.add (local.get $7) (i32.shl (local.get $1) (i32.const 1))))) (v128.load offset=16 (local.get $6)))) (local.get $5))) (local.tee $3 (f32x4.sub (local.tee $8 (f32x4.add (local.tee $9 (v128.load (i32.add (local.get $10) (local.get $1)))) (local.tee $11 (v128.load (i32.add (local.tee $6 (i32.add (local.get $10) (local.get $12))) (local.get $1)))))) (local.tee $13 (f32x4.add (local.tee $14 (v128.load (i32.add (i32.add (local.get $10) (local.get $2)) (local.get $1)))) (local.tee $15 (v128.load (i32.add (i32.add (local.get $2) (local.get $6)) (local.get $1))))))))) (f32x4.mul (local.tee $16 (i8x16.shuffle 4 5 6 7 4 5 6 7 12 13 14 15 12 13 14 15 (local.get $5) (local.get $5))) (v128.xor (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $3) (local.get $3)) (v128.const i32x4 0x80000000 0x00000000 0x80000000 0x00000000)))))
   (v128.store (local.tee $6 (i32.add (local.get $17) (i32.shl (local.get $1) (i32.const 2)))) (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.tee $8 (f32x4.add (local.get $8) (local.get $13))) (local.tee $9 (f32x4.add (local.tee $11 (f32x4.add (f32x4.mul (i8x16.shuffle 0 1 2 3 0 1 2 3 8 9 10 11 8 9 10 11 (local.tee $5 (v128.load (i32.add (local.get $1) (local.get $7)))) (local.get $5)) (local.tee $9 (f32x4.sub (local.get $9) (local.get $11)))) (f32x4.mul (i8x16.shuffle 4 5 6 7 4 5 6 7 12 13 14 15 12 13 14 15 (local.get $5) (local.get $5)) (v128.xor (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $9) (local.get $9)) (v128.const i32x4 0x80000000 0x00000000 0x80000000 0x00000000))))) (local.tee $5 (f32x4.add (f32x4.mul (i8x16.shuffle 0 1 2 3 0 1 2 3 8 9 10 11 8 9 10 11 (local.tee $5 (v128.load (i32.add (i32.add (local.get $7) (local.get $2)) (local.get $1)))) (local.get $5)) (local.tee $9 (f32x4.sub (local.get $14) (local.get $15)))) (f32x4.mul (i8x16.shuffle 4 5 6 7 4 5 6 7 12 13 14 15 12 13 14 15 (local.get $5) (local.get $5)) (v128.xor (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $9) (local.get $9)) (v128.const i32x4 0x80000000 0x00000000 0x80000000 0x00000000)))))))))
   (v128.store offset=16 (local.get $6) (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $3) (local.tee $5 (f32x4.add (f32x4.mul (local.get $4) (local.tee $5 (f32x4.sub (local.get $11) (local.get $5)))) (f32x4.mul (local.get $16) (v128.xor (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $5) (local.get $5)) (v128.const i32x4 0x80000000 0x00000000 0x80000000 0x00000000)))))))
   (v128.store offset=32 (local.get $6) (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $8) (local.get $9)))
   (v128.store offset=48 (local.get $6) (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $3) (local.get $5)))
   (local.set $1 (i32.add (local.get $1) (i32.const 16)))
   (br $0))))

;; spectrum join
(loop $0
 (if
  (i32.lt_u (local.get $1) (i32.shr_u (local.get $2) (i32.const 1)))
  (then
   (v128.store (i32.add (local.get $3) (local.get $1)) (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.tee $4 (f32x4.add (local.tee $5 (f32x4.add (local.tee $4 (v128.load (i32.add (local.get $6) (local.get $1)))) (local.tee $7 (v128.xor (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.tee $8 (v128.load (i32.sub (i32.sub (i32.add (local.get $6) (local.get $2)) (local.get $1)) (i32.const 8)))) (local.get $8)) (v128.const i32x4 0x00000000 0x80000000 0x00000000 0x80000000))))) (local.tee $8 (v128.xor (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.tee $8 (f32x4.add (f32x4.mul (i8x16.shuffle 0 1 2 3 0 1 2 3 8 9 10 11 8 9 10 11 (local.tee $8 (v128.xor (v128.load (i32.add (local.get $1) (local.get $9))) (v128.const i32x4 0x00000000 0x80000000 0x00000000 0x80000000))) (local.get $8)) (local.tee $4 (f32x4.sub (local.get $4) (local.get $7)))) (f32x4.mul (i8x16.shuffle 4 5 6 7 4 5 6 7 12 13 14 15 12 13 14 15 (local.get $8) (local.get $8)) (v128.xor (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $4) (local.get $4)) (v128.const i32x4 0x80000000 0x00000000 0x80000000 0x00000000))))) (local.get $8)) (v128.const i32x4 0x80000000 0x00000000 0x80000000 0x00000000))))) (local.get $4)))
   (v128.store (i32.sub (i32.sub (i32.add (local.get $3) (local.get $2)) (local.get $1)) (i32.const 8)) (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.tee $8 (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.tee $8 (v128.xor (f32x4.sub (local.get $5) (local.get $8)) (v128.const i32x4 0x00000000 0x80000000 0x00000000 0x80000000))) (local.get $8))) (local.get $8)))
   (local.set $1 (i32.add (local.get $1) (i32.const 16)))
   (br $0))))

;; spectrum lastPass
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (v128.store (i32.add (local.get $3) (local.get $1)) (f32x4.add (local.tee $4 (v128.load (i32.add (local.get $5) (local.get $1)))) (local.tee $6 (v128.load (i32.add (i32.add (local.get $5) (local.get $2)) (local.get $1))))))
   (v128.store (i32.add (i32.add (local.get $3) (local.get $2)) (local.get $1)) (f32x4.sub (local.get $4) (local.get $6)))
   (local.set $1 (i32.add (local.get $1) (i32.const 16)))
   (br $0))))

;; spectrum lnPowers
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (local.set $2 (f32x4.convert_i32x4_s (local.tee $3 (i32x4.shr_s (i32x4.sub (local.tee $4 (f32x4.add (f32x4.add (f32x4.mul (local.tee $2 (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.tee $4 (v128.load (local.get $5))) (local.tee $3 (v128.load offset=16 (local.get $5))))) (local.get $2)) (f32x4.mul (local.tee $4 (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $4) (local.get $3))) (local.get $4))) (local.get $6))) (v128.const i32x4 0x3f3504f3 0x3f3504f3 0x3f3504f3 0x3f3504f3)) (i32.const 23)))))
   (local.set $3 (f32x4.mul (local.tee $4 (f32x4.sub (i32x4.sub (local.get $4) (i32x4.shl (local.get $3) (i32.const 23))) (v128.load32_splat (i32.const 1132)))) (local.get $4)))
   (v128.store (local.get $7) (f32x4.mul (v128.const i32x4 0x3f000000 0x3f000000 0x3f000000 0x3f000000) (f32x4.add (f32x4.add (f32x4.sub (f32x4.add (f32x4.mul (f32x4.mul (f32x4.add (f32x4.add (v128.load32_splat (i32.const 1136)) (f32x4.mul (v128.load32_splat (i32.const 1140)) (local.get $4))) (f32x4.mul (f32x4.add (f32x4.add (v128.load32_splat (i32.const 1144)) (f32x4.mul (v128.load32_splat (i32.const 1148)) (local.get $4))) (f32x4.mul (f32x4.add (f32x4.add (v128.load32_splat (i32.const 1152)) (f32x4.mul (v128.load32_splat (i32.const 1156)) (local.get $4))) (f32x4.mul (f32x4.add (v128.load32_splat (i32.const 1160)) (f32x4.mul (v128.load32_splat (i32.const 1164)) (local.get $4))) (local.get $3))) (local.get $3))) (local.get $3))) (local.get $3)) (local.get $4)) (f32x4.mul (local.get $2) (v128.load32_splat (i32.const 1108)))) (f32x4.mul (v128.load32_splat (i32.const 1168)) (local.get $3))) (local.get $4)) (f32x4.mul (local.get $2) (v128.load32_splat (i32.const 1104))))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $5 (i32.add (local.get $5) (i32.const 32)))
   (local.set $7 (i32.add (local.get $7) (i32.const 16)))
   (br $0))))

;; spectrum split
(loop $0
 (if
  (i32.lt_u (local.get $1) (i32.shr_u (local.get $2) (i32.const 1)))
  (then
   (v128.store (i32.add (local.get $3) (local.get $1)) (f32x4.add (local.tee $4 (f32x4.mul (v128.const i32x4 0x3f000000 0x3f000000 0x3f000000 0x3f000000) (f32x4.add (local.tee $5 (v128.load (i32.add (local.get $1) (local.get $6)))) (local.tee $7 (v128.xor (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.tee $8 (v128.load (i32.sub (i32.sub (i32.add (local.get $2) (local.get $6)) (local.get $1)) (i32.const 8)))) (local.get $8)) (v128.const i32x4 0x00000000 0x80000000 0x00000000 0x80000000)))))) (local.tee $8 (f32x4.add (f32x4.mul (i8x16.shuffle 0 1 2 3 0 1 2 3 8 9 10 11 8 9 10 11 (local.tee $8 (v128.load (i32.add (local.get $1) (local.get $9)))) (local.get $8)) (local.tee $5 (v128.xor (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.tee $5 (f32x4.mul (v128.const i32x4 0x3f000000 0x3f000000 0x3f000000 0x3f000000) (f32x4.sub (local.get $5) (local.get $7)))) (local.get $5)) (v128.const i32x4 0x00000000 0x80000000 0x00000000 0x80000000)))) (f32x4.mul (i8x16.shuffle 4 5 6 7 4 5 6 7 12 13 14 15 12 13 14 15 (local.get $8) (local.get $8)) (v128.xor (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $5) (local.get $5)) (v128.const i32x4 0x80000000 0x00000000 0x80000000 0x00000000)))))))
   (v128.store (i32.sub (i32.sub (i32.add (local.get $3) (local.get $2)) (local.get $1)) (i32.const 8)) (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.tee $8 (v128.xor (f32x4.sub (local.get $4) (local.get $8)) (v128.const i32x4 0x00000000 0x80000000 0x00000000 0x80000000))) (local.get $8)))
   (local.set $1 (i32.add (local.get $1) (i32.const 16)))
   (br $0))))

;; spectrum twoPasses
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (v128.store (local.get $3) (f32x4.add (local.tee $4 (f32x4.add (local.tee $5 (v128.load (local.get $1))) (local.tee $6 (v128.load (local.tee $7 (i32.add (local.get $8) (local.get $1))))))) (local.tee $9 (f32x4.add (local.tee $10 (v128.load (i32.add (local.get $1) (local.get $11)))) (local.tee $12 (v128.load (i32.add (local.get $11) (local.get $7))))))))
   (v128.store (i32.add (local.get $13) (local.get $3)) (f32x4.add (local.tee $6 (f32x4.add (f32x4.mul (local.get $14) (local.tee $5 (f32x4.sub (local.get $5) (local.get $6)))) (f32x4.mul (local.get $15) (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $5) (local.get $5))))) (local.tee $10 (f32x4.add (f32x4.mul (local.get $16) (local.tee $5 (f32x4.sub (local.get $10) (local.get $12)))) (f32x4.mul (local.get $17) (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $5) (local.get $5)))))))
   (v128.store (i32.add (local.get $3) (i32.shl (local.get $13) (i32.const 1))) (f32x4.add (f32x4.mul (local.get $18) (local.tee $5 (f32x4.sub (local.get $4) (local.get $9)))) (f32x4.mul (local.get $19) (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $5) (local.get $5)))))
   (v128.store (i32.add (local.get $3) (i32.mul (local.get $13) (i32.const 3))) (f32x4.add (f32x4.mul (local.get $18) (local.tee $5 (f32x4.sub (local.get $6) (local.get $10)))) (f32x4.mul (local.get $19) (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $5) (local.get $5)))))
   (local.set $1 (i32.add (local.get $1) (i32.const 16)))
   (local.set $3 (i32.add (local.get $3) (i32.const 16)))
   (br $0))))

;; spectrum unfold
(loop $0
 (if
  (i32.le_s (local.tee $1 (i32.add (local.get $2) (i32.const 4))) (local.get $3))
  (then
   (v128.store (i32.add (local.tee $4 (i32.shl (local.get $2) (i32.const 2))) (local.get $5)) (f32x4.mul (f32x4.mul (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.tee $6 (v128.load (i32.add (local.get $7) (i32.shl (i32.add (local.get $2) (local.get $8)) (i32.const 2))))) (local.get $6)) (local.get $9)) (v128.load (i32.add (local.get $10) (local.get $4)))))
   (local.set $2 (local.get $1))
   (br $0))))

;; ssm pass
(loop $0
 (if
  (i32.ge_s (local.get $1) (i32.const 4))
  (then
   (v128.store (local.get $2) (f32x4.add (v128.load (local.get $2)) (f32x4.mul (v128.load (local.get $3)) (v128.load (local.get $4)))))
   (local.set $1 (i32.sub (local.get $1) (i32.const 4)))
   (local.set $4 (i32.add (local.get $4) (i32.const 16)))
   (local.set $2 (i32.add (local.get $2) (i32.const 16)))
   (local.set $3 (i32.add (local.get $3) (i32.const 16)))
   (br $0))))

;; ssm stepComplex
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (local.set $3 (v128.load (i32.add (i32.add (local.get $4) (local.get $2)) (local.get $1))))
   (v128.store (local.tee $5 (i32.add (local.get $1) (local.get $6))) (f32x4.add (local.tee $7 (v128.load (local.tee $8 (i32.add (local.get $1) (local.get $9))))) (f32x4.sub (f32x4.sub (v128.load (i32.add (local.get $1) (local.get $4))) (f32x4.mul (local.tee $10 (v128.load (local.tee $11 (i32.add (local.get $1) (local.get $12))))) (local.get $7))) (f32x4.mul (local.tee $13 (v128.load (i32.add (local.get $2) (local.get $11)))) (local.tee $14 (v128.load (i32.add (local.get $2) (local.get $8))))))))
   (v128.store (i32.add (local.get $2) (local.get $5)) (f32x4.add (local.get $14) (f32x4.sub (f32x4.add (local.get $3) (f32x4.mul (local.get $13) (local.get $7))) (f32x4.mul (local.get $10) (local.get $14)))))
   (local.set $1 (i32.add (local.get $1) (i32.const 16)))
   (br $0))))

;; ssm stepReal
(loop $0
 (if
  (i32.lt_u (local.get $1) (local.get $2))
  (then
   (v128.store (local.tee $3 (i32.add (local.get $1) (local.get $4))) (f32x4.add (local.tee $5 (v128.load (local.tee $6 (i32.add (local.get $1) (local.get $7))))) (f32x4.sub (f32x4.sub (v128.load (i32.add (local.get $1) (local.get $8))) (f32x4.mul (local.tee $9 (v128.load (local.tee $10 (i32.add (local.get $1) (local.get $11))))) (local.get $5))) (f32x4.mul (local.tee $12 (v128.load (i32.add (local.get $2) (local.get $10)))) (local.tee $13 (v128.load (i32.add (local.get $2) (local.get $6))))))))
   (v128.store (i32.add (local.get $2) (local.get $3)) (f32x4.add (local.get $13) (f32x4.sub (f32x4.add (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000) (f32x4.mul (local.get $12) (local.get $5))) (f32x4.mul (local.get $9) (local.get $13)))))
   (local.set $1 (i32.add (local.get $1) (i32.const 16)))
   (br $0))))

;; ssm.i8 recur
(loop $0
 (if
  (i32.lt_u (local.get $1) (i32.add (local.get $2) (local.get $3)))
  (then
   (local.set $4 (f32x4.add (local.tee $5 (v128.load (local.get $1))) (f32x4.sub (f32x4.sub (v128.load (local.get $6)) (f32x4.mul (local.get $7) (local.get $5))) (f32x4.mul (local.get $8) (local.tee $9 (v128.load (i32.add (local.get $1) (local.get $10))))))))
   (local.set $5 (f32x4.add (local.get $9) (f32x4.sub (f32x4.add (if (result v128) (local.get $11) (then (v128.load (i32.add (local.get $6) (local.get $10)))) (else (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000))) (f32x4.mul (local.get $8) (local.get $5))) (f32x4.mul (local.get $7) (local.get $9)))))
   (v128.store (local.get $1) (local.get $4))
   (v128.store (i32.add (local.get $1) (local.get $10)) (local.get $5))
   (local.set $12 (select (f32x4.pmax (local.tee $12 (f32x4.pmax (local.get $12) (v128.and (local.get $4) (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff)))) (v128.and (local.get $5) (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff))) (local.get $12) (local.get $13)))
   (local.set $1 (i32.add (local.get $1) (i32.shl (local.get $10) (i32.const 1))))
   (local.set $6 (i32.add (local.get $6) (local.get $14)))
   (br $0))))
