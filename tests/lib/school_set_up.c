#include "tests/lib/school_model.h"

#include <assert.h>
#include <stdio.h>

/* The set-up of a school and of a year: a row of steps, each of some entries. Who writes what
 * follows the rights: the founder registers the school and appoints the head; the head appoints the
 * others; the secretary registers people; the deputy forms subjects, classes and pages. So the head
 * holds the role before there is anybody who could register the head's name. */

enum { STAFF_BATCH = 50, CLASS_BATCH = 40, GUARDIAN_BATCH = 15, ENTRY_EVERY_MS = 1500 };

struct step {
    unsigned (*entries)(const struct school *school);
    void (*write)(struct school *school, unsigned number, char *label);
};

static unsigned one(const struct school *school)
{
    (void)school;
    return 1;
}

static void register_school(struct school *school, unsigned number, char *label)
{
    (void)number;
    Zhurnal__V1__SchoolRegistered *e =
        DRAFT_ADD(&school->draft, school_registered, SCHOOL_REGISTERED);
    school->draft.draft.school = 0;
    e->school = school->id;
    e->name = draft_text(&school->draft, school->name);
    e->utc_offset_minutes = school->options.utc_offset_minutes;
    e->country = draft_text(&school->draft, "RU");
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "учредитель: школа «%s»", school->name);
}

static void grant(struct school *school, uint64_t person, Zhurnal__V1__Role role, uint64_t class_id)
{
    Zhurnal__V1__RoleGranted *e = DRAFT_ADD(&school->draft, role_granted, ROLE_GRANTED);
    e->person = person;
    e->role = role;
    e->class_id = class_id;
    e->from_day = school->draft.day;
}

static void grant_head(struct school *school, unsigned number, char *label)
{
    (void)number;
    grant(school, school->head, ZHURNAL__V1__ROLE__ROLE_HEAD, 0);
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "учредитель: руководитель школы");
}

static void act_as_head(struct school *school)
{
    draft_set_actor(&school->draft, school->head, ZHURNAL__V1__ROLE__ROLE_HEAD);
}

static void act_as_deputy(struct school *school)
{
    draft_set_actor(&school->draft, school->deputy, ZHURNAL__V1__ROLE__ROLE_DEPUTY);
}

static void act_as_secretary(struct school *school)
{
    draft_set_actor(&school->draft, school->secretary, ZHURNAL__V1__ROLE__ROLE_SECRETARY);
}

static void grant_office(struct school *school, unsigned number, char *label)
{
    (void)number;
    act_as_head(school);
    grant(school, school->deputy, ZHURNAL__V1__ROLE__ROLE_DEPUTY, 0);
    grant(school, school->secretary, ZHURNAL__V1__ROLE__ROLE_SECRETARY, 0);
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "заместитель и секретарь");
}

static void register_person(
    struct school *school, uint64_t id, const struct school_name *name, uint32_t born)
{
    struct school_draft *draft = &school->draft;
    const Zhurnal__V1__Basis law = ZHURNAL__V1__BASIS__BASIS_LAW;
    char text[NAME_TEXT_SIZE];
    Zhurnal__V1__PersonRegistered *e = DRAFT_ADD(draft, person_registered, PERSON_REGISTERED);
    e->person = id;
    name_surname(name, text);
    e->surname_part = draft_part(draft, id, law, text);
    name_given(name, text);
    e->given_name_part = draft_part(draft, id, law, text);
    name_patronymic(name, text);
    e->patronymic_part = draft_part(draft, id, law, text);
    if (born != 0) {
        (void)snprintf(
            text, sizeof(text), "%u-%02u-%02u", born / 10000, born / 100 % 100, born % 100);
        e->birth_date_part = draft_part(draft, id, law, text);
    }
}

static void register_office(struct school *school, unsigned number, char *label)
{
    (void)number;
    const uint64_t ids[] = {school->head, school->deputy, school->secretary};
    act_as_secretary(school);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct school_name name = school_draw_person(school);
        register_person(school, ids[i], &name, 0);
    }
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "личные карточки администрации");
}

static unsigned staff_entries(const struct school *school)
{
    return ((unsigned)school->teacher_count + STAFF_BATCH - 1) / STAFF_BATCH;
}

static void register_staff(struct school *school, unsigned number, char *label)
{
    act_as_secretary(school);
    int first = (int)number * STAFF_BATCH;
    int end = first + STAFF_BATCH;
    end = end < school->teacher_count ? end : school->teacher_count;
    for (int i = first; i < end; i++) {
        register_person(school, school->teachers[i].id, &school->teachers[i].name, 0);
    }
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "личные карточки учителей: %d", end - first);
}

static void grant_staff(struct school *school, unsigned number, char *label)
{
    act_as_head(school);
    int first = (int)number * STAFF_BATCH;
    int end = first + STAFF_BATCH;
    end = end < school->teacher_count ? end : school->teacher_count;
    for (int i = first; i < end; i++) {
        grant(school, school->teachers[i].id, ZHURNAL__V1__ROLE__ROLE_SUBJECT_TEACHER, 0);
    }
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "права учителей: %d", end - first);
}

static void define_subjects(struct school *school, unsigned number, char *label)
{
    (void)number;
    act_as_deputy(school);
    for (unsigned s = 0; s < SUBJECT_COUNT; s++) {
        const struct school_subject_info *info = curriculum_subject((enum school_subject)s);
        Zhurnal__V1__SubjectDefined *e =
            DRAFT_ADD(&school->draft, subject_defined, SUBJECT_DEFINED);
        e->subject = school->subject_ids[s];
        e->name = draft_text(&school->draft, info->name);
        e->scale = info->passed ? ZHURNAL__V1__SCALE__SCALE_PASS : ZHURNAL__V1__SCALE__SCALE_FIVE;
        e->marked = true;
        e->homework = info->homework;
    }
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "учебные предметы: %d", SUBJECT_COUNT);
}

static void open_year(struct school *school, unsigned number, char *label)
{
    (void)number;
    act_as_head(school);
    char text[16];
    (void)snprintf(text, sizeof(text), "%u/%02u", school->year, (school->year + 1) % 100);
    Zhurnal__V1__SchoolYearOpened *e =
        DRAFT_ADD(&school->draft, school_year_opened, SCHOOL_YEAR_OPENED);
    e->year = school->year_id;
    e->label = draft_text(&school->draft, text);
    e->first_day = calendar_first_day(school->year, school->options.week_days);
    e->last_day = calendar_last_day(school->year, school->options.week_days);
    e->week_days = school->options.week_days;
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "учебный год %s", text);
}

static unsigned class_entries(const struct school *school)
{
    return (school->class_count + CLASS_BATCH - 1) / CLASS_BATCH;
}

static unsigned class_end(const struct school *school, unsigned number)
{
    unsigned end = (number + 1) * CLASS_BATCH;
    return end < school->class_count ? end : school->class_count;
}

static void form_classes(struct school *school, unsigned number, char *label)
{
    struct school_draft *draft = &school->draft;
    act_as_deputy(school);
    for (unsigned c = number * CLASS_BATCH; c < class_end(school, number); c++) {
        const struct school_class *class = &school->classes[c];
        char name[8];
        school_class_name(class, name);
        Zhurnal__V1__ClassFormed *formed = DRAFT_ADD(draft, class_formed, CLASS_FORMED);
        formed->class_id = class->id;
        formed->year = school->year_id;
        formed->grade = class->grade;
        formed->letter = draft_text(draft, name + (class->grade < 10 ? 1 : 2));
        formed->shift = 1;
        Zhurnal__V1__ClassTeacherAssigned *assigned =
            DRAFT_ADD(draft, class_teacher_assigned, CLASS_TEACHER_ASSIGNED);
        assigned->teacher = school->teachers[class->teacher].id;
        assigned->class_id = class->id;
        assigned->from_day = draft->day;
    }
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "классы: %u", draft_last_event(draft) / 2);
}

static void grant_class_teachers(struct school *school, unsigned number, char *label)
{
    act_as_head(school);
    for (unsigned c = number * CLASS_BATCH; c < class_end(school, number); c++) {
        const struct school_class *class = &school->classes[c];
        grant(school, school->teachers[class->teacher].id, ZHURNAL__V1__ROLE__ROLE_CLASS_TEACHER,
            class->id);
    }
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "права классных руководителей: %u",
        draft_last_event(&school->draft));
}

static unsigned each_class(const struct school *school)
{
    return school->class_count;
}

static void enrol_pupils(struct school *school, unsigned number, char *label)
{
    struct school_draft *draft = &school->draft;
    const struct school_class *class = &school->classes[number];
    char name[8];
    char order[32];
    act_as_secretary(school);
    school_class_name(class, name);
    (void)snprintf(order, sizeof(order), "Приказ № %u-уч", 41 + number);
    for (unsigned i = 0; i < class->pupils; i++) {
        const struct school_pupil *pupil = &school->pupils[class->list[i]];
        register_person(school, pupil->id, &pupil->name, pupil->born);
        Zhurnal__V1__PupilEnrolled *e = DRAFT_ADD(draft, pupil_enrolled, PUPIL_ENROLLED);
        e->pupil = pupil->id;
        e->class_id = class->id;
        e->order_number = draft_text(draft, order);
    }
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "%s: зачислено учеников: %u", name, class->pupils);
}

static unsigned guardian_entries(const struct school *school)
{
    return (school->pupil_count + GUARDIAN_BATCH - 1) / GUARDIAN_BATCH;
}

static void link_guardian(struct school *school, const struct school_pupil *pupil, bool mother)
{
    uint64_t id = school_draw_id(school);
    struct school_name name = name_draw_parent(&school->set_up, &pupil->name, mother);
    register_person(school, id, &name, 0);
    Zhurnal__V1__GuardianLinked *e = DRAFT_ADD(&school->draft, guardian_linked, GUARDIAN_LINKED);
    e->guardian = id;
    e->pupil = pupil->id;
    e->guardian_kind = draw_chance(&school->set_up, 20)
        ? ZHURNAL__V1__GUARDIAN_KIND__GUARDIAN_KIND_TRUSTEE
        : ZHURNAL__V1__GUARDIAN_KIND__GUARDIAN_KIND_PARENT;
    e->restricted = draw_chance(&school->set_up, 5);
}

/* 1.6 a pupil. */
static void link_guardians(struct school *school, unsigned number, char *label)
{
    act_as_secretary(school);
    unsigned first = number * GUARDIAN_BATCH;
    unsigned end = first + GUARDIAN_BATCH;
    end = end < school->pupil_count ? end : school->pupil_count;
    for (unsigned p = first; p < end; p++) {
        link_guardian(school, &school->pupils[p], true);
        if (draw_chance(&school->set_up, 600)) {
            link_guardian(school, &school->pupils[p], false);
        }
    }
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "родители учеников %u–%u: %u", first + 1, end,
        draft_last_event(&school->draft) / 2);
}

static void open_pages(struct school *school, unsigned number, char *label)
{
    struct school_draft *draft = &school->draft;
    char name[8];
    act_as_deputy(school);
    for (unsigned p = 0; p < school->page_count; p++) {
        const struct school_page *page = &school->pages[p];
        if (page->class_number != number) {
            continue;
        }
        Zhurnal__V1__PageOpened *opened = DRAFT_ADD(draft, page_opened, PAGE_OPENED);
        opened->page = page->id;
        opened->subject = school->subject_ids[page->subject];
        opened->year = school->year_id;
        if (page->pupil == NOBODY) {
            opened->owner_case = ZHURNAL__V1__PAGE_OPENED__OWNER_CLASS_ID;
            opened->class_id = school->classes[number].id;
        } else {
            opened->owner_case = ZHURNAL__V1__PAGE_OPENED__OWNER_PUPIL;
            opened->pupil = school->pupils[page->pupil].id;
        }
        Zhurnal__V1__TeachingAssigned *assigned =
            DRAFT_ADD(draft, teaching_assigned, TEACHING_ASSIGNED);
        assigned->teacher = school->teachers[page->teacher].id;
        assigned->page = page->id;
        assigned->from_day = calendar_first_day(school->year, school->options.week_days);
    }
    school_class_name(&school->classes[number], name);
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "%s: страниц: %u", name, draft_last_event(draft) / 2);
}

static const struct step steps[] = {
    {one, register_school},
    {one, grant_head},
    {one, grant_office},
    {one, register_office},
    {staff_entries, register_staff},
    {staff_entries, grant_staff},
    {one, define_subjects},
    /* What every year needs. */
    {one, open_year},
    {class_entries, form_classes},
    {class_entries, grant_class_teachers},
    {each_class, enrol_pupils},
    {guardian_entries, link_guardians},
    {each_class, open_pages},
};

enum { STEPS = sizeof(steps) / sizeof(steps[0]), STEP_OF_YEAR = 7 };

void school_set_up_begin(struct school *school)
{
    school->step = school->years_begun == 0 ? 0 : STEP_OF_YEAR;
    school->step_at = 0;
    school->set_up_ms = school_local_ms(school, school->year * 10000 + 828, 10 * 60);
    school->years_begun++;
}

bool school_set_up_next(struct school *school, struct school_entry *entry)
{
    if (school->step == STEPS) {
        return false;
    }
    const struct step *step = &steps[school->step];
    *entry = (struct school_entry){0};
    school->draft.day = school->year * 10000 + 828;
    draft_begin(&school->draft, school->id, school->set_up_ms, random_next(&school->set_up));
    step->write(school, school->step_at, entry->label);
    draft_end(&school->draft, entry);
    school_entry_time(school, entry);
    school->set_up_ms += ENTRY_EVERY_MS;
    if (++school->step_at == step->entries(school)) {
        school->step++;
        school->step_at = 0;
    }
    return true;
}
